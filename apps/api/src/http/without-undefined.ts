type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** An absent field is absent, as the use cases' types have it. */
export const withoutUndefined = <T extends object>(value: T): Defined<T> =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
