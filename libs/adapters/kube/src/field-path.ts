/** One step into an object: a member of a map, or the item of a list whose members have these values. */
export type PathStep = { readonly field: string } | { readonly where: Readonly<Record<string, string>> };
export type FieldPath = readonly PathStep[];

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const TOKEN = /\.?([A-Za-z0-9_$-]+)|\["((?:[^"\\]|\\.)*)"\]|\[([A-Za-z0-9_-]+)=([^\]]+)\]/y;

/**
 * `spec.replicas`, `metadata.annotations["example.com/note"]`, `spec.template.spec.containers[name=web].image`, or a JSON pointer
 * into maps (`/spec/replicas`). Null when the text is none of these.
 */
export const parseFieldPath = (text: string): FieldPath | null => {
  if (text.startsWith('/')) {
    return text
      .slice(1)
      .split('/')
      .map((part) => ({ field: part.replaceAll('~1', '/').replaceAll('~0', '~') }));
  }
  const steps: PathStep[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return null;
    const [, name, quoted, key, value] = match;
    if (name !== undefined) steps.push({ field: name });
    else if (quoted !== undefined) steps.push({ field: quoted.replace(/\\(.)/g, '$1') });
    else if (key !== undefined && value !== undefined) steps.push({ where: { [key]: value } });
  }
  return steps.length === 0 ? null : steps;
};

const fits = (item: unknown, where: Readonly<Record<string, string>>): boolean =>
  isMap(item) && Object.entries(where).every(([key, value]) => String(item[key]) === value);

export const valueAt = (object: unknown, path: FieldPath): unknown => {
  let value: unknown = object;
  for (const step of path) {
    if ('field' in step) value = isMap(value) ? value[step.field] : undefined;
    else value = Array.isArray(value) ? value.find((item: unknown) => fits(item, step.where)) : undefined;
    if (value === undefined) return undefined;
  }
  return value;
};

/** A copy in which the value at the path is another one (`undefined`: dropped); unchanged when the path leads nowhere. */
export const withValueAt = (object: unknown, path: FieldPath, value: unknown): unknown => {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if ('field' in step) {
    if (!isMap(object) || (value === undefined && !(step.field in object))) return object;
    const inner = withValueAt(object[step.field], rest, value);
    const { [step.field]: _dropped, ...others } = object;
    return inner === undefined ? others : { ...object, [step.field]: inner };
  }
  if (!Array.isArray(object)) return object;
  return object
    .map((item: unknown) => (fits(item, step.where) ? withValueAt(item, rest, value) : item))
    .filter((item) => item !== undefined);
};
