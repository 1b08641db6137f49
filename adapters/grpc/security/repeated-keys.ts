/** Texts, and what gives JSON its structure; the rest is skipped. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The keys that an object of valid JSON has more than once, each with those that lead to it. `JSON.parse` takes the last
 * and says nothing of the others.
 */
export function repeatedKeys(json: string): readonly (readonly string[])[] {
  const repeated: (readonly string[])[] = [];
  /** Undefined: a list. */
  const open: ({ readonly keys: Set<string>; key: string } | undefined)[] = [];
  let text = "";
  for (const [token] of json.matchAll(TOKEN)) {
    const object = open.at(-1);
    if (token === "{") open.push({ keys: new Set(), key: "" });
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token.startsWith('"')) text = token;
    else if (token === ":" && object !== undefined) {
      object.key = String(JSON.parse(text));
      if (object.keys.has(object.key)) repeated.push(open.flatMap((one) => one?.key ?? []));
      object.keys.add(object.key);
    }
  }
  return repeated;
}
