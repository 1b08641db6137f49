/** As `JSON.parse`, whose errors quote the text: what was sent must not end up in logs and in answers to others. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    throw new SyntaxError(`no valid JSON${position === undefined ? "" : `: look at position ${position}`}`);
  }
}
