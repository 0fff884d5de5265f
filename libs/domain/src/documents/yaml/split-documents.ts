export interface DocumentText {
  readonly text: string;
  /** Lines before it in the file. */
  readonly lineOffset: number;
}

/**
 * Cuts a file at its document markers before anything is parsed, so that an error in one document, or its size, is no matter of
 * the next one. Exact: YAML forbids a line that starts with `---` inside of every kind of scalar.
 */
export const splitDocuments = (file: string): readonly DocumentText[] => {
  const starts = [0];
  for (const match of file.matchAll(/^---(?=\s|$)/gm)) if (match.index > 0) starts.push(match.index);
  let lineOffset = 0;
  return starts.map((start, index) => {
    const text = file.slice(start, starts[index + 1]);
    const document = { text, lineOffset };
    lineOffset += newlinesIn(text);
    return document;
  });
};

const newlinesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
};
