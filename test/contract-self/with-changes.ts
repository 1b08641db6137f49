/** What is whole, but for these. */
export function withChanges<T extends object>(real: T, changes: Partial<T>): T {
  return new Proxy(real, {
    get(target, key) {
      const own = Reflect.get(changes, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
