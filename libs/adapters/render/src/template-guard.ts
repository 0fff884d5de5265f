/** What a call of `lookup` becomes: looking into a text with a text fails when, and only when, it is executed. */
export const LOOKUP_MARK = '~lookup~';
const REFUSED_LOOKUP = `index "${LOOKUP_MARK}"`;
/** Another time than now, for the second rendering: output that depends on the clock then differs. */
const OTHER_TIME = '(toDate "2006-01-02" "2001-02-03")';

/**
 * Rewrites the functions of a template that a bundle must not depend on. Only bare function names inside actions are touched: text,
 * strings, comments, fields (`.Values.now`) and variables (`$now`) stay as they are. Lines stay where they are.
 */
export const guardTemplate = (template: string, options: { otherTime: boolean }): string => {
  let result = '';
  let at = 0;
  for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', at)) {
    result += template.slice(at, open);
    const end = endOfAction(template, open);
    result += rewriteAction(template.slice(open, end), options.otherTime);
    at = end;
  }
  return result + template.slice(at);
};

const COMMENT = /^\{\{(?:- )?\s*\/\*/;

/** The index after the closing braces; strings and comments may hold braces of their own. */
const endOfAction = (template: string, open: number): number => {
  const comment = COMMENT.exec(template.slice(open, open + 200));
  if (comment !== null) {
    const close = template.indexOf('*/', open + comment[0].length);
    const braces = close < 0 ? -1 : template.indexOf('}}', close);
    return braces < 0 ? template.length : braces + 2;
  }
  for (let at = open + 2; at < template.length;) {
    if (template.startsWith('}}', at)) return at + 2;
    at = afterToken(template, at);
  }
  return template.length;
};

/** The index after the string, raw string, character or single character that begins here. */
const afterToken = (text: string, at: number): number => {
  const quote = text[at];
  if (quote === '`') {
    const close = text.indexOf('`', at + 1);
    return close < 0 ? text.length : close + 1;
  }
  if (quote !== '"' && quote !== "'") return at + 1;
  for (let next = at + 1; next < text.length; next++) {
    if (text[next] === '\\') next += 1;
    else if (text[next] === quote || text[next] === '\n') return next + 1;
  }
  return text.length;
};

const WORD = /[\p{L}\p{Nd}_]/u;

const rewriteAction = (action: string, otherTime: boolean): string => {
  if (COMMENT.test(action)) return action;
  let result = '';
  for (let at = 0; at < action.length;) {
    const char = action[at] ?? '';
    if (!WORD.test(char)) {
      const next = afterToken(action, at);
      result += action.slice(at, next);
      at = next;
      continue;
    }
    let end = at;
    while (end < action.length && WORD.test(action[end] ?? '')) end += 1;
    const word = action.slice(at, end);
    const bare = !['.', '$'].includes(action[at - 1] ?? '');
    result += bare && word === 'lookup' ? REFUSED_LOOKUP : bare && otherTime && word === 'now' ? OTHER_TIME : word;
    at = end;
  }
  return result;
};

/** Whether a text given as a value would call `lookup` when a template renders it with `tpl`. */
export const callsLookup = (text: string): boolean =>
  text.includes('lookup') && guardTemplate(text, { otherTime: false }) !== text;
