// Tables of measurements and exclusions at the point. Text is always set as text, never as markup.

import { words } from "./scales.js";

const SVG = "http://www.w3.org/2000/svg";
const LONGEST_PULL = 5;
const DECADES = 4;
const NEGLIGIBLE_SHARE = 1e-4; // of a measurement's error: a prediction below it is zero

export function element(name, content = "", attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}

const MARKS = new Set(["I", "SUB", "SUP"]);

/** The nodes of a label of the server: its text, and of its markup only letters below and above. */
export function typeset(label) {
  return copied(new DOMParser().parseFromString(label, "text/html").body);
}

/** A label of the server without its markup. */
export function spoken(label) {
  return new DOMParser().parseFromString(label, "text/html").body.textContent;
}

/** A name as a label of the server would spell it. */
export function escaped(name) {
  return name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function copied(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.data];
    const inside = copied(child);
    return MARKS.has(child.tagName) ? [element(child.tagName.toLowerCase(), inside)] : inside;
  });
}

export function drawVerdict(place, answer, subject) {
  const parts = [];
  const broken = Object.entries(answer.impossible);
  if (broken.length) {
    const why = broken.map(([name, ratio]) => `${name}, ${words(ratio, 3)} times its bound`);
    parts.push(said("bad", escaped(`The model cannot exist here: ${why.join("; ")}`)));
  } else {
    const gain = answer.chi2 - answer.chi2_no_zprime;
    parts.push(number("χ²", fixed(answer.chi2)));
    parts.push(number("without a Z′", fixed(answer.chi2_no_zprime)));
    parts.push(number("difference", signed(gain), gain < -0.005 ? "good" : gain > 0.005 ? "bad" : ""));
    parts.push(exclusionWords(answer, subject.labels));
  }
  place.replaceChildren(...parts);
}

export function drawMeasurements(place, answer, subject) {
  const rows = Object.entries(answer.terms).map(([name, term]) => [
    [titled(name, subject)],
    [symbol(term.observable, subject.symbols), "wide"],
    [measured(term)],
    [words(term.prediction, 3, NEGLIGIBLE_SHARE * Math.min(...term.errors))],
    [signed(term.pull), Math.abs(term.pull) > 2 ? "bad" : ""],
    [bar(term.pull === null ? 0 : term.pull / LONGEST_PULL, Math.abs(term.pull) > 2, true), "wide"],
    [fixed(term.chi2), "wide"],
  ]);
  const heads = ["entry", ["observable", "wide"], "measured", "predicted", "pull", ["", "wide"], ["χ²", "wide"]];
  place.replaceChildren(table(heads, rows));
}

export function drawExclusions(place, answer, subject) {
  const strength = (row) => (row.ratio === null ? (row.excluded ? Infinity : -1) : row.ratio);
  const sorted = Object.entries(answer.exclusions).sort(([, a], [, b]) => strength(b) - strength(a));
  const anySoft = sorted.some(([, row]) => row.soft);
  const rows = sorted.map(([name, row]) => [
    [titled(name, subject)],
    [words(row.ratio, 3)],
    [bar(1 + Math.log10(Math.max(row.ratio ?? 0, 1e-9)) / DECADES, row.excluded, false)],
    [outcome(row), row.excluded ? "bad" : ""],
    ...(anySoft ? [[row.chi2 === undefined ? "" : fixed(row.chi2), "wide"]] : []),
  ]);
  const heads = ["entry", "signal / limit", "", "", ...(anySoft ? [["χ²", "wide"]] : [])];
  place.replaceChildren(table(heads, rows));
}

export function drawQuantities(place, answer, subject) {
  const symbols = { ...subject.symbols };
  for (const { name, label } of subject.sliders) symbols[name] = label;
  const groups = [
    ["Couplings", answer.couplings],
    ["Derived", answer.derived],
    ["Predictions that these data do not measure", answer.predictions],
  ];
  const drawn = groups
    .filter(([, values]) => values && Object.keys(values).length)
    .flatMap(([title, values]) => [
      element("h3", title),
      element("dl", Object.entries(values).map(([name, value]) =>
        element("div", [element("dt", symbol(name, alone(symbols, values))), element("dd", words(value))]))),
    ]);
  place.replaceChildren(...drawn);
}

/** The symbols that no two of some quantities share. */
function alone(symbols, values) {
  const own = Object.keys(values).map((name) => symbols[name]);
  return Object.fromEntries(Object.entries(symbols)
    .filter(([, label]) => own.indexOf(label) === own.lastIndexOf(label)));
}

function exclusionWords(answer, labels) {
  if (answer.excluded_by.length) {
    const list = answer.excluded_by.map((name) => {
      const { ratio } = answer.exclusions[name];
      const label = labels[name] ?? escaped(name);
      return ratio === null ? label : `${label} (×${words(ratio, 3)})`;
    });
    return said("bad", `✗ excluded by ${list.join(", ")}`, `excluded by ${answer.excluded_by.join(", ")}`);
  }
  const hard = Object.values(answer.exclusions).filter((row) => !row.soft);
  const speaking = hard.filter((row) => !row.silent).length;
  const silent = hard.length - speaking;
  if (silent) return said("good", `✓ allowed by ${speaking} hard exclusions; ${silent} ${silent === 1 ? "has" : "have"} no limit at this mass`);
  return said("good", hard.length ? `✓ allowed by all ${hard.length} hard exclusions` : "no hard exclusions");
}

function said(kind, label, title = label) {
  return element("span", typeset(label), { class: `said ${kind}`, title });
}

function number(name, value, kind = "") {
  return element("span", [`${name} `, element("b", value, { class: kind })]);
}

/** The label of an entry, with its name and title on demand. */
function titled(name, { labels, titles }) {
  const title = titles[name] ? `${name}: ${titles[name]}` : name;
  return element("span", typeset(labels[name] ?? escaped(name)), { title });
}

/** The symbol of a quantity, or its name, which is shown on demand too. */
function symbol(name, symbols) {
  return element("span", typeset(symbols[name] ?? escaped(name)), { title: name });
}

function measured(term) {
  const [up, down] = term.errors.map((error) => words(error, 2, 0));
  return `${words(term.measured, 3, 0)} ${up === down ? `± ${up}` : `+${up} −${down}`}`;
}

function outcome(row) {
  if (row.excluded) return row.soft ? "beyond its limit" : "excluded";
  if (row.silent) return "no limit here";
  return "allowed";
}

function fixed(value) {
  return value === null ? "–" : Math.abs(value) < 1e5 ? value.toFixed(2) : words(value);
}

function signed(value) {
  if (value === null) return "–";
  const text = fixed(Math.abs(value));
  return text === "0.00" ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** A bar of -1 to 1 from the middle, or of 0 to 2 from the left with a mark at 1. */
function bar(share, isBad, fromMiddle) {
  const [low, high] = fromMiddle ? [-1, 1] : [0, 2];
  const end = Math.min(Math.max(share, low), high);
  const start = 0;
  const at = (value) => (100 * (value - low)) / (high - low);
  const drawing = document.createElementNS(SVG, "svg");
  const shape = document.createElementNS(SVG, "rect");
  const mark = document.createElementNS(SVG, "line");
  const middle = at(fromMiddle ? 0 : 1);
  set(drawing, { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  set(shape, { x: Math.min(at(start), at(end)), width: Math.abs(at(end) - at(start)), y: 1, height: 8 });
  if (isBad) set(shape, { class: "bad" });
  set(mark, { x1: middle, x2: middle, y1: 0, y2: 10 });
  drawing.append(shape, mark);
  return drawing;
}

function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
}

function table(heads, rows) {
  const head = heads.map((cell) => {
    const [text, kind] = Array.isArray(cell) ? cell : [cell, ""];
    return text ? element("th", text, { scope: "col", class: kind }) : element("td", "", { class: kind });
  });
  const body = rows.map((row) =>
    element("tr", row.map(([content, kind = ""]) => element("td", content, { class: kind }))));
  return element("table", [element("thead", element("tr", head)), element("tbody", body)]);
}
