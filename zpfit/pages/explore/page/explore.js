// The page's state (model, data, point, slice) and its updates.

import { brief, countOf, plain, positionOf, trimmed, valueAt, words } from "./scales.js";
import { SlicePlot } from "./slice.js";
import { drawExclusions, drawMeasurements, drawQuantities, drawVerdict, element, spoken, typeset } from "./tables.js";

const PATIENCE = 150; // ms before the address is updated
const at = (id) => document.getElementById(id);

/** Requests of one kind: one at a time; of those that wait, only the newest is sent. */
class Newest {
  constructor(path, receive) {
    Object.assign(this, { path, receive, busy: false, next: null, number: 0 });
  }

  ask(question) {
    this.number += 1;
    this.next = { question, number: this.number };
    if (!this.busy) this.send();
  }

  /** Ignore the answer to the current request. */
  forget() {
    this.number += 1;
    this.next = null;
  }

  async send() {
    this.busy = true;
    while (this.next) {
      const { question, number } = this.next;
      this.next = null;
      const [answer, problems] = await post(this.path, question);
      if (number === this.number || (this.next && answer)) this.receive(answer, problems, question);
    }
    this.busy = false;
  }
}

async function post(path, question) {
  try {
    const response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
    const answer = await response.json();
    return response.ok ? [answer, []] : [null, answer.problems ?? [`the server answered ${response.status}`]];
  } catch {
    return [null, ["zpfit explore does not answer; is it still running?"]];
  }
}

const state = { model: "", likelihood: "", point: {}, x: "", y: "", view: "chi2" };
let catalogue = null;
let subject = null;
let inputs = new Map();
let addressTimer = 0;
let loads = 0;

const plot = new SlicePlot(at("plot"), at("legend"), at("slice-words"), at("best"), (x, y) => {
  move({ [state.x]: trimmed(x), [state.y]: trimmed(y) });
});

const points = new Newest("/api/point", (answer, problems, question) => {
  complain("point", problems);
  if (!answer || question.model !== state.model || question.likelihood !== state.likelihood) return;
  drawVerdict(at("verdict"), answer, subject);
  const exists = Object.keys(answer.impossible).length === 0;
  for (const id of ["measurements", "exclusions", "quantities"]) if (!exists) at(id).replaceChildren("–");
  if (!exists) return;
  drawMeasurements(at("measurements"), answer, subject);
  drawExclusions(at("exclusions"), answer, subject);
  drawQuantities(at("quantities"), answer, subject);
});

const slices = new Newest("/api/slice", (answer, problems, question) => {
  complain("slice", problems);
  const stale = question.model !== state.model || question.likelihood !== state.likelihood
    || question.x !== state.x || question.y !== state.y;
  if (answer && !stale) plot.draw(answer, subject, state.point, state.view);
});

const complaints = { load: [], point: [], slice: [] };

/** Show the problems of the last answer to a kind of request. */
function complain(kind, problems) {
  complaints[kind] = problems;
  const all = [...new Set(Object.values(complaints).flat())];
  at("problems").hidden = all.length === 0;
  at("problems").textContent = all.join("\n");
}

function askPoint() {
  const { model, likelihood, point } = state;
  points.ask({ model, likelihood, point });
}

function askSlice() {
  const { model, likelihood, point, x, y } = state;
  if (subject.sliders.length > 1) slices.ask({ model, likelihood, point, x, y });
}

/** Give some parameters new values. */
function move(values) {
  Object.assign(state.point, values);
  for (const name of Object.keys(values)) showValue(name);
  const onSlice = Object.keys(values).every((name) => name === state.x || name === state.y);
  askPoint();
  if (onSlice) plot.mark(state.point);
  else askSlice();
  follow();
}

function showValue(name, { typed = false } = {}) {
  const { slider, range, number, reason } = inputs.get(name);
  const value = state.point[name];
  const last = countOf(slider) - 1;
  const share = Math.min(Math.max(positionOf(slider, value), 0), 1);
  range.value = slider.scale === "fractions" ? Math.floor(share * (last + 1)) : Math.round(share * last);
  range.setAttribute("aria-valuetext", `${words(value)} ${slider.unit}`);
  if (!typed) number.value = brief(value);
  number.title = plain(value);
  number.removeAttribute("aria-invalid");
  reason.textContent = "";
}

function makeSlider(slider) {
  const { name, label, unit, meaning, domain } = slider;
  const last = countOf(slider) - 1;
  const range = element("input", "", { type: "range", id: `p-${name}`, min: 0, max: last, step: 1 });
  const number = element("input", "", {
    type: "number", step: "any", min: domain[0], max: domain[1], "aria-label": `${name}, as a number`,
  });
  const reason = element("span", "", { class: "reason", role: "alert" });
  const title = element("label", [
    element("span", [...typeset(label), unit ? ` (${unit})` : ""]), " ",
    ...(spoken(label) === name ? [] : [element("code", name), " "]), element("small", meaning, { title: meaning }),
  ], { for: `p-${name}` });
  range.addEventListener("input", () => {
    const index = Number(range.value);
    move({ [name]: valueAt(slider, slider.scale === "fractions" ? (index + 0.5) / (last + 1) : index / last) });
  });
  number.addEventListener("input", () => {
    const value = number.value.trim() === "" ? NaN : Number(number.value);
    if (!(value >= domain[0] && value <= domain[1])) {
      number.setAttribute("aria-invalid", "true");
      reason.textContent = `must be a number between ${words(domain[0])} and ${words(domain[1])}`;
      return;
    }
    const typed = number.value;
    move({ [name]: value });
    number.value = typed;
  });
  inputs.set(name, { slider, range, number, reason });
  return element("div", [title, range, number, reason], { class: "slider" });
}

function fill(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text, title = ""]) =>
    element("option", text, { value, title, ...(value === chosen ? { selected: "" } : {}) })));
  select.value = chosen;
}

/** The model as a run file describes it, with one option changed. */
function withOption(name, value) {
  const options = {};
  for (const option of subject.options) {
    const chosen = option.name === name ? value : option.value;
    if (chosen !== option.default) options[option.name] = chosen;
  }
  const bare = subject.model_name;
  return Object.keys(options).length ? JSON.stringify({ name: bare, options }) : bare;
}

function drawOptions() {
  at("options").replaceChildren(...subject.options.map((option) => {
    const select = element("select", "");
    fill(select, option.choices.map((choice) => [String(choice), String(choice)]), String(option.value));
    select.addEventListener("change", () => {
      const chosen = option.choices.find((choice) => String(choice) === select.value);
      load({ model: withOption(option.name, chosen), likelihood: state.likelihood, keep: state.point });
    });
    return element("label", [`${option.name} `, select]);
  }));
}

/** Load another model or other data; `keep` holds parameter values to preserve. */
async function load({ model, likelihood, keep = {}, x = state.x, y = state.y }) {
  points.forget();
  slices.forget();
  loads += 1;
  const own = loads;
  const [answer, problems] = await post("/api/subject", { model, likelihood });
  if (own !== loads) return false; // another choice was made meanwhile
  complain("load", problems);
  if (!answer) {
    if (subject) chooseAgain();
    return false;
  }
  subject = answer;
  Object.assign(state, { model, likelihood });
  const names = subject.sliders.map((slider) => slider.name);
  state.point = { ...subject.start };
  for (const { name, domain } of subject.sliders) {
    if (keep[name] >= domain[0] && keep[name] <= domain[1]) state.point[name] = keep[name];
  }
  state.x = names.includes(x) && x !== y ? x : names[0];
  state.y = names.includes(y) && y !== state.x ? y : names.find((name) => name !== state.x) ?? "";
  draw();
  return true;
}

function chooseAgain() {
  const known = catalogue.models.includes(state.model) ? catalogue.models : [...catalogue.models, state.model];
  const shown = known.includes(subject.model_name) && subject.options.length ? subject.model_name : state.model;
  fill(at("model"), known.filter((m) => m === shown || catalogue.models.includes(m)).map((m) => [m, m]), shown);
  fill(at("likelihood"), Object.entries(catalogue.likelihoods).map(([name, title]) => [name, name, title]), state.likelihood);
}

function draw() {
  chooseAgain();
  drawOptions();
  inputs = new Map();
  at("sliders").replaceChildren(...subject.sliders.map(makeSlider));
  subject.sliders.forEach(({ name }) => showValue(name));
  const names = subject.sliders.map(({ name }) => [name, name]);
  fill(at("x"), names, state.x);
  fill(at("y"), names, state.y);
  at("slice").hidden = names.length < 2;
  at("view").value = state.view;
  at("description").textContent = subject.description;
  at("notes").replaceChildren(...subject.notes.map((note) => element("li", note)));
  const named = catalogue.found_elsewhere.includes(state.likelihood);
  at("command").disabled = !named;
  at("command").title = named ? "zpfit evaluate at this point" : "zpfit evaluate accepts named sets, not the data of a run";
  askPoint();
  askSlice();
  follow();
}

function fragment() {
  const { model, likelihood, x, y, view, point } = state;
  const parts = new URLSearchParams({ model, data: likelihood, x, y, view });
  for (const [name, value] of Object.entries(point)) parts.set(`p.${name}`, plain(value));
  return `#${parts}`;
}

/** Update the address after a change of state, so that it can be shared. */
function follow() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, "", fragment()), PATIENCE);
}

function fromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const keep = {};
  for (const [key, text] of parts) {
    if (key.startsWith("p.") && text.trim() !== "" && Number.isFinite(Number(text))) keep[key.slice(2)] = Number(text);
  }
  state.view = parts.get("view") === "who" ? "who" : "chi2";
  return {
    model: parts.get("model") || catalogue.model,
    likelihood: parts.get("data") || catalogue.likelihood,
    x: parts.get("x") || "", y: parts.get("y") || "", keep,
  };
}

function command() {
  const { model, likelihood, point } = state;
  const values = Object.entries(point).map(([name, value]) => `${name}=${plain(value)}`).join(" ");
  const quoted = (text) => (/^[\w.,:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  return `zpfit evaluate --likelihood ${quoted(likelihood)} --model ${quoted(model)} --at ${quoted(values)}`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    at("copied").textContent = `Copied: ${text}`;
  } catch {
    at("copied").textContent = text;
  }
}

async function start() {
  catalogue = await (await fetch("/api/catalogue")).json();
  at("version").textContent = catalogue.version;
  const asked = fromAddress();
  if (!(await load(asked)) && !subject) {
    const said = complaints.load;
    await load({ model: catalogue.model, likelihood: catalogue.likelihood });
    complain("load", said);
  }
}

at("model").addEventListener("change", (event) => {
  load({ model: event.target.value, likelihood: state.likelihood });
});
at("likelihood").addEventListener("change", (event) => {
  load({ model: state.model, likelihood: event.target.value, keep: state.point });
});
for (const [own, other] of [["x", "y"], ["y", "x"]]) {
  at(own).addEventListener("change", (event) => {
    if (event.target.value === state[other]) state[other] = state[own];
    state[own] = event.target.value;
    at(other).value = state[other];
    askSlice();
    follow();
  });
}
at("view").addEventListener("change", (event) => {
  state.view = event.target.value;
  askSlice();
  follow();
});
at("reset").addEventListener("click", () => move({ ...subject.start }));
at("command").addEventListener("click", () => copy(command()));
at("link").addEventListener("click", () => copy(location.href.split("#")[0] + fragment()));
at("best").addEventListener("click", () => {
  const best = plot.answer && plot.best();
  if (best) move({ [state.x]: trimmed(best.x), [state.y]: trimmed(best.y) });
});
window.addEventListener("hashchange", () => load(fromAddress()));
for (const query of ["(prefers-color-scheme: dark)", "(max-width: 800px)"]) {
  matchMedia(query).addEventListener("change", () => {
    if (plot.answer) plot.draw(plot.answer, subject, state.point, state.view);
  });
}
start();
