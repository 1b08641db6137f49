/** What a module of bench/ exports: it is JavaScript without declarations, so the caller says what it expects. */
export async function benchPart<T>(file: string): Promise<T> {
  return (await import(new URL(`../../bench/${file}`, import.meta.url).href)) as T;
}
