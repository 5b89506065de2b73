// The slice of two parameters: chi2 or the strongest exclusion, with the current point.

import { positionOf, ticksOf, words } from "./scales.js";
import { element, escaped, spoken, typeset } from "./tables.js";

const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#C9B400", "#7A5CC0"];
const OTHERS = "#8a8a8a";
const LEAST_REACH = 1;
const LARGEST_REACH = 30;
const DECADES = 3;

export class SlicePlot {
  /** `moveTo(x, y)` is called with the values of the clicked node. */
  constructor(place, legend, wordsPlace, bestButton, moveTo) {
    Object.assign(this, { place, legend, bestButton, moveTo, words: wordsPlace });
    this.answer = null;
    this.wired = false;
  }

  /** Draw an answer of the server for a `subject` and the current `point`. */
  draw(answer, subject, point, view) {
    Object.assign(this, { answer, subject, view });
    this.soft = new Set(subject.soft);
    this.axes = [answer.x, answer.y].map((axis) => subject.sliders.find((s) => s.name === axis.name));
    const field = view === "who" ? this.whoField() : this.chi2Field();
    this.drawLegend(field.entries);
    Plotly.react(this.place, [this.heat(field), this.border(), this.marker(point)], this.layout(), {
      displaylogo: false, responsive: true, modeBarButtons: [["toImage"]],
    });
    if (!this.wired) {
      this.place.on("plotly_click", ({ points: [hit] }) => {
        if (!hit || !Array.isArray(hit.pointIndex)) return;
        const [row, column] = hit.pointIndex;
        this.moveTo(this.answer.x.values[column], this.answer.y.values[row]);
      });
      this.wired = true;
    }
    this.say();
  }

  /** Move the mark of the current point. */
  mark(point) {
    if (!this.answer) return;
    const { x, y } = this.marker(point);
    Plotly.restyle(this.place, { x: [x], y: [y] }, [2]);
  }

  /** The allowed node of lowest chi2: {x, y, chi2}, or null. */
  best() {
    let found = null;
    this.each((row, column) => {
      const chi2 = this.answer.chi2[row][column];
      if (this.allowed(row, column) && (found === null || chi2 < found.chi2)) {
        found = { x: this.answer.x.values[column], y: this.answer.y.values[row], chi2 };
      }
    });
    return found;
  }

  each(visit) {
    this.answer.chi2.forEach((line, row) => line.forEach((_, column) => visit(row, column)));
  }

  mapped(value) {
    return this.answer.chi2.map((line, row) => line.map((_, column) => value(row, column)));
  }

  /** The label of an entry, or the words of a condition of the model. */
  label(by) {
    const name = this.answer.names[by];
    return this.subject.labels[name] ?? escaped(name);
  }

  excluded(row, column) {
    const ratio = this.answer.log_ratio[row][column];
    const name = this.answer.names[this.answer.by[row][column]];
    return ratio !== null && ratio > 0 && !this.soft.has(name);
  }

  /** Return whether the strongest limit, hard or soft, is exceeded. */
  beyond(row, column) {
    return this.answer.log_ratio[row][column] > 0;
  }

  impossible(row, column) {
    return this.answer.chi2[row][column] === null && this.excluded(row, column);
  }

  allowed(row, column) {
    return this.answer.chi2[row][column] !== null && !this.excluded(row, column);
  }

  gain(row, column) {
    return this.answer.chi2[row][column] - this.answer.chi2_no_zprime;
  }

  /** Colours: 0 to 1 where allowed, 1 to 2 where excluded, above 2 where the model cannot exist. */
  chi2Field() {
    let reach = LEAST_REACH;
    this.each((row, column) => {
      if (this.allowed(row, column)) reach = Math.max(reach, -this.gain(row, column));
    });
    reach = Math.min(reach, LARGEST_REACH);
    const z = this.mapped((row, column) => {
      if (this.impossible(row, column)) return 2.5;
      if (this.excluded(row, column)) {
        return 1.1 + 0.8 * Math.min(this.answer.log_ratio[row][column] / DECADES, 1);
      }
      if (!this.allowed(row, column)) return null;
      return 0.5 + 0.48 * Math.max(-1, Math.min(1, this.gain(row, column) / reach));
    });
    const [better, middle, worse, weak, strong, impossible] = colours(
      "better", "middle", "worse", "weak", "strong", "impossible");
    let missing = false;
    this.each((row, column) => { missing ||= this.impossible(row, column); });
    const zmax = missing ? 3 : 2;
    const stops = [[0, better], [0.5, middle], [1, worse], [1.02, weak], [2, strong]];
    if (missing) stops.push([2.02, impossible], [3, impossible]);
    const shown = words(reach, 2);
    const entries = [
      [`Δχ² −${shown}`, better], ["equal to no Z′", middle], [`+${shown} or more`, worse],
      ["just excluded", weak], [`excluded ×${10 ** DECADES} or more`, strong],
    ];
    if (missing) entries.push(["no model", impossible]);
    return { z, zmax, colorscale: stops.map(([at, colour]) => [at / zmax, colour]), entries };
  }

  whoField() {
    const counts = new Map();
    this.each((row, column) => {
      if (!this.beyond(row, column)) return;
      const by = this.answer.by[row][column];
      counts.set(by, (counts.get(by) ?? 0) + 1);
    });
    const ranked = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
    const code = new Map(ranked.map((by, rank) => [by, Math.min(rank, PALETTE.length) + 1]));
    const shades = [colours("middle")[0], ...PALETTE, OTHERS];
    const z = this.mapped((row, column) => {
      if (this.beyond(row, column)) return code.get(this.answer.by[row][column]);
      return this.allowed(row, column) ? 0 : null;
    });
    const last = shades.length - 1;
    const steps = shades.flatMap((shade, k) => [[k / (last + 1), shade], [(k + 1) / (last + 1), shade]]);
    const entries = ranked.slice(0, PALETTE.length).map((by, k) => [this.label(by), PALETTE[k]]);
    if (ranked.length > PALETTE.length) entries.push(["others", OTHERS]);
    const share = (code) => (code === null ? null : code + 0.5);
    return {
      z: z.map((line) => line.map(share)), zmax: last + 1, colorscale: steps,
      entries: [["allowed", shades[0]], ...entries],
    };
  }

  heat({ z, zmax, colorscale }) {
    const { x, y } = this.answer;
    const [sx, sy] = this.axes;
    const xs = x.values.map((value) => `${sx.label} = ${words(value)} ${sx.unit}`);
    const ys = y.values.map((value) => `${sy.label} = ${words(value)} ${sy.unit}`);
    return {
      type: "heatmap", x: x.positions, y: y.positions, z, zmin: 0, zmax, colorscale, zsmooth: false,
      showscale: false,
      text: y.values.map((_, row) => onDemand(x.values.length, (column) =>
        `${xs[column]}<br>${ys[row]}<br>${this.hover(row, column)}`)),
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  hover(row, column) {
    const by = this.answer.by[row][column];
    const name = by < 0 ? undefined : this.label(by);
    const ratio = this.answer.log_ratio[row][column];
    const lines = [];
    if (this.impossible(row, column)) lines.push(`no model: ${name} ×${words(10 ** ratio)}`);
    else if (this.excluded(row, column)) lines.push(`excluded by ${name} ×${words(10 ** ratio)}`);
    else if (this.beyond(row, column)) lines.push(`beyond the soft limit of ${name} ×${words(10 ** ratio)}`);
    else if (name === undefined) lines.push("no exclusion here");
    else lines.push(`allowed; nearest limit ${name}, ratio ${words(10 ** ratio, 2)}`);
    const chi2 = this.answer.chi2[row][column];
    if (chi2 !== null) {
      const gain = this.gain(row, column);
      lines.push(`χ² ${words(chi2)} (${gain < 0 ? "−" : "+"}${words(Math.abs(gain), 3)} against no Z′)`);
    }
    return lines.join("<br>");
  }

  border() {
    const z = this.mapped((row, column) => {
      const ratio = this.answer.log_ratio[row][column];
      if (ratio === null) return -1;
      const near = Math.max(-1, Math.min(1, ratio));
      return this.excluded(row, column) ? near : Math.min(near, -1e-3);
    });
    return {
      type: "contour", x: this.answer.x.positions, y: this.answer.y.positions, z, hoverinfo: "skip",
      showscale: false, showlegend: false, contours: { start: 0, end: 0, size: 1, coloring: "none" },
      line: { color: colours("ink")[0], width: 1.2, smoothing: 0 },
    };
  }

  marker(point) {
    const at = this.axes.map((slider) => positionOf(slider, point[slider.name]));
    const inside = at.every((position) => position >= 0 && position <= 1);
    const [ink, ground] = colours("ink", "ground");
    return {
      type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false,
      x: inside ? [at[0]] : [], y: inside ? [at[1]] : [],
      marker: { symbol: "circle", size: 13, color: ground, line: { color: ink, width: 3 } },
    };
  }

  layout() {
    const [ink, line, ground] = colours("ink", "line", "ground");
    const most = this.place.clientWidth < 500 ? 5 : 9;
    const axis = (slider) => ({
      title: { text: slider.unit ? `${slider.label} (${slider.unit})` : slider.label, standoff: 8 },
      range: [0, 1], fixedrange: true, tickmode: "array", ...ticksOf(slider, most), ticks: "outside",
      showgrid: false, zeroline: false, linecolor: line, mirror: true, automargin: true,
    });
    return {
      xaxis: axis(this.axes[0]), yaxis: axis(this.axes[1]), dragmode: false, hovermode: "closest",
      margin: { l: 10, r: 22, t: 10, b: 10 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: "system-ui, sans-serif", size: 12 }, uirevision: "slice",
      modebar: { bgcolor: "rgba(0,0,0,0)", color: line, activecolor: ink },
      hoverlabel: { bgcolor: ground, bordercolor: line, font: { color: ink }, align: "left" },
    };
  }

  drawLegend(entries) {
    this.legend.hidden = entries.length === 0;
    this.legend.replaceChildren(...entries.map(([name, colour]) => {
      const patch = element("span", "", { class: "patch" });
      patch.style.backgroundColor = colour;
      return element("li", [patch, ...typeset(name)]);
    }));
  }

  say() {
    let [allowed, all] = [0, 0];
    this.each((row, column) => { all += 1; allowed += this.allowed(row, column); });
    const best = this.best();
    const [x, y] = this.axes;
    const found = best === null ? "" : `; lowest allowed χ² on the grid ${words(best.chi2)} at ${x.label} = ${words(best.x)}, ${y.label} = ${words(best.y)}`;
    const { grid } = this.answer;
    const coarse = grid < this.subject.finest_grid ? ` Coarser than ${this.subject.finest_grid} × ${this.subject.finest_grid}, because this model is slow.` : "";
    const text = `${words((100 * allowed) / all, 2)} % of the slice is allowed${found}. Grid ${this.answer.x.values.length} × ${this.answer.y.values.length}.${coarse} Other parameters have the values of the sliders; click to move the point.`;
    this.words.replaceChildren(...typeset(text));
    this.bestButton.disabled = best === null;
    this.place.setAttribute("aria-label", spoken(`Slice of ${x.label} and ${y.label}: ${text}`));
  }
}

/** An array that computes items when they are read: Plotly reads only the text under the cursor. */
function onDemand(length, make) {
  return new Proxy(new Array(length), {
    get: (array, key) => (typeof key === "string" && /^\d+$/.test(key) ? make(Number(key)) : array[key]),
  });
}

function colours(...names) {
  const style = getComputedStyle(document.documentElement);
  return names.map((name) => style.getPropertyValue(`--${name}`).trim());
}
