import { sizeName } from "./growth-table.mjs";

const PANEL = { width: 330, height: 250, left: 52, right: 12, top: 34, bottom: 42 };
const LEGEND_HEIGHT = 26;
const TITLE_HEIGHT = 26;
/** In the order of subjects: told apart by shape, too. */
const MARKS = ["circle", "square", "triangle"];
const LIGHT = { ground: "#ffffff", ink: "#1f2328", soft: "#d1d9e0", lines: ["#0969da", "#bc4c00", "#1a7f37"] };
const DARK = { ground: "#0d1117", ink: "#e6edf3", soft: "#3d444d", lines: ["#4493f8", "#db8b4b", "#3fb950"] };
const STYLE = `
    text { font: 11px system-ui, sans-serif; }
    .title { font-size: 14px; font-weight: 600; }
    .name { font-size: 12px; font-weight: 600; }
    .grid { stroke-width: 1; }
    .linear { stroke-width: 1; stroke-dasharray: 3 4; opacity: 0.6; fill: none; }
    .line { fill: none; stroke-width: 2; }
    ${coloursOf(LIGHT)}
    @media (prefers-color-scheme: dark) { ${coloursOf(DARK)} }`;

function coloursOf(/** @type {typeof LIGHT} */ { ground, ink, soft, lines }) {
  const ofLines = lines.map((colour, index) => `.s${index} { stroke: ${colour}; } .m${index} { fill: ${colour}; }`);
  const rest = `.ground { fill: ${ground}; } text { fill: ${ink}; } .grid { stroke: ${soft}; } .linear { stroke: ${ink}; }`;
  return `${rest} ${ofLines.join(" ")}`;
}

const escaped = (/** @type {string} */ text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * One curve as SVG: a panel with logarithmic axes for each measure, a line for each subject. The dashed line grows in
 * proportion to the size.
 * @param {import("./judge-growth.mjs").Growth} growth
 */
export function plotOf({ title, unit, sizes, lines }) {
  const subjects = [...new Set(lines.map(({ subject }) => subject))];
  const measures = [...new Set(lines.map(({ says }) => says))];
  const width = PANEL.width * measures.length;
  const height = TITLE_HEIGHT + PANEL.height + LEGEND_HEIGHT;
  const panels = measures.map((says, index) =>
    panelOf({
      x: index * PANEL.width,
      says,
      unit,
      sizes,
      series: subjects.map(
        (subject) => lines.find((line) => line.subject === subject && line.says === says)?.values ?? [],
      ),
    }),
  );
  const legend = subjects.map((subject, index) => {
    const x = PANEL.left + index * 110;
    const y = height - LEGEND_HEIGHT / 2;
    return `${mark(index, x, y)}<text x="${x + 10}" y="${y + 4}">${escaped(subject)}</text>`;
  });
  const linearX = PANEL.left + subjects.length * 110;
  const legendY = height - LEGEND_HEIGHT / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
  <style>${STYLE}
  </style>
  <rect class="ground" width="${width}" height="${height}"/>
  <text class="title" x="${PANEL.left}" y="19">${escaped(title)}</text>
  ${panels.join("\n  ")}
  ${legend.join("\n  ")}
  <path class="linear" d="M${linearX - 12} ${legendY}h28"/><text x="${linearX + 22}" y="${legendY + 4}">linear</text>
</svg>
`;
}

/**
 * @param {object} panel
 * @param {number} panel.x
 * @param {string} panel.says
 * @param {string} panel.unit
 * @param {readonly number[]} panel.sizes
 * @param {readonly (readonly (number | undefined)[])[]} panel.series values by size, of each subject
 */
function panelOf({ x, says, unit, sizes, series }) {
  // A logarithm has no zero: what is not there stands on the axis.
  const shown = series.flat().filter((value) => value !== undefined && value > 0);
  const lowest = Math.floor(Math.log10(Math.max(Math.min(...shown, Number.MAX_VALUE), 0.01)));
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...shown, 0.1))));
  const [first = 1] = sizes;
  const last = sizes.at(-1) ?? first;
  const left = x + PANEL.left;
  const right = x + PANEL.width - PANEL.right;
  const top = TITLE_HEIGHT + PANEL.top;
  const bottom = TITLE_HEIGHT + PANEL.height - PANEL.bottom;
  const atSize = (/** @type {number} */ size) =>
    left + (Math.log(size / first) / Math.log(last / first)) * (right - left);
  const atPower = (/** @type {number} */ power) => bottom - ((power - lowest) / (highest - lowest)) * (bottom - top);
  const atValue = (/** @type {number} */ value) => atPower(Math.max(lowest, Math.log10(Math.max(value, 1e-9))));
  const parts = [`<text class="name" x="${left}" y="${top - 12}">${escaped(says)}</text>`];
  for (let power = lowest; power <= highest; power += 1) {
    const y = round(atPower(power));
    parts.push(`<path class="grid" d="M${left} ${y}H${right}"/>`);
    parts.push(`<text x="${left - 6}" y="${y + 4}" text-anchor="end">${powerName(power)}</text>`);
  }
  for (const size of sizes) {
    const at = round(atSize(size));
    parts.push(`<path class="grid" d="M${at} ${top}V${bottom}"/>`);
    parts.push(`<text x="${at}" y="${bottom + 15}" text-anchor="middle">${sizeName(size)}</text>`);
  }
  parts.push(`<text x="${(left + right) / 2}" y="${bottom + 32}" text-anchor="middle">${escaped(unit)}</text>`);
  parts.push(linearLine({ decades: Math.log10(last / first), lowest, highest, left, right, atPower }));
  for (const [index, values] of series.entries()) {
    const points = values.flatMap((value, at) =>
      value === undefined ? [] : [[round(atSize(sizes[at])), round(atValue(value))]],
    );
    parts.push(`<polyline class="line s${index}" points="${points.map((point) => point.join(",")).join(" ")}"/>`);
    for (const [pointX, pointY] of points) parts.push(mark(index, pointX, pointY));
  }
  return parts.join("\n  ");
}

/** From the lower left corner, as far as the panel goes. */
function linearLine({ decades, lowest, highest, left, right, atPower }) {
  const shown = Math.min(decades, highest - lowest);
  const end = round(left + ((right - left) * shown) / decades);
  return `<path class="linear" d="M${left} ${round(atPower(lowest))}L${end} ${round(atPower(lowest + shown))}"/>`;
}

function mark(/** @type {number} */ index, /** @type {number} */ x, /** @type {number} */ y) {
  const look = `class="m${index}"`;
  if (MARKS[index] === "square") return `<rect ${look} x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`;
  if (MARKS[index] === "triangle") return `<path ${look} d="M${x} ${y - 5}l5 9h-10z"/>`;
  return `<circle ${look} cx="${x}" cy="${y}" r="4"/>`;
}

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;

function powerName(/** @type {number} */ power) {
  return power < 0 ? (10 ** power).toFixed(-power) : sizeName(10 ** power);
}
