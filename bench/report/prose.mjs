const PART = /<!-- prose: (\S+) -->\n([\s\S]*?)<!-- end of prose -->/g;

/**
 * What people wrote between the marks of an earlier report, by the name of the part.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function readProse(text) {
  return new Map([...text.matchAll(PART)].map(([, name, prose]) => [name, prose]));
}

/** One part, to be written into. */
export function prosePart(/** @type {string} */ name, /** @type {string} */ prose = "") {
  return `<!-- prose: ${name} -->\n${prose}<!-- end of prose -->`;
}
