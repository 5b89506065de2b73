"use strict";
(() => {
  const root = document.documentElement;
  const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

  // Tables

  function keyOf(row, column) {
    const key = row.cells[column].dataset.key;
    const number = Number(key);
    return key === "" || Number.isNaN(number) ? key : number;
  }

  function compare(a, b) {
    // Numbers before text, so that missing values come last.
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
  }

  function sort(heading) {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
    rows.sort(([a], [b]) => {
      const mixed = typeof a !== typeof b;
      return descending && !mixed ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
  }

  for (const button of document.querySelectorAll("table.sortable thead button")) {
    button.addEventListener("click", () => sort(button.closest("th")));
  }

  // Plots, in the colours of the page

  function colours() {
    const style = getComputedStyle(root);
    const of = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: of("--line"), linecolor: of("--muted"), tickcolor: of("--muted"),
      zerolinecolor: of("--muted"), showline: true, ticks: "outside", ticklen: 4 };
    const family = getComputedStyle(document.body).fontFamily;
    return { layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: of("--text"), family, size: 13 }, xaxis: axis, yaxis: axis,
      hoverlabel: { bgcolor: of("--card"), bordercolor: of("--muted"),
        font: { color: of("--text"), family, size: 14 }, align: "left" },
      legend: { bgcolor: "rgba(0,0,0,0)" },
    } };
  }

  const figures = [...document.querySelectorAll("script.figure")].map((element) => ({
    target: document.getElementById(element.dataset.for),
    content: JSON.parse(element.textContent),
  }));

  function draw({ target, content }) {
    const layout = { ...content.layout, template: colours() };
    // The buttons are listed, because newer versions of Plotly offer to upload a plot.
    const options = { responsive: true, displaylogo: false, plotlyServerURL: "",
      modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]] };
    return Plotly.react(target, content.data, layout, options);
  }

  // A plot is drawn when it comes near the window, so that the page opens fast.
  const waiting = new Map(figures.map((figure) => [figure.target, figure]));
  const observer = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (isIntersecting && waiting.has(target)) {
        draw(waiting.get(target));
        waiting.delete(target);
        observer.unobserve(target);
      }
    }
  }, { rootMargin: "600px" });
  for (const { target, content } of figures) {
    target.style.height = `${content.layout.height || 450}px`;
    observer.observe(target);
  }
  window.addEventListener("beforeprint", () => {
    for (const figure of waiting.values()) draw(figure);
    waiting.clear();
  });

  // Light and dark

  const toggle = document.getElementById("theme");

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : darkSystem.matches;
  }

  function recolour() {
    toggle.setAttribute("aria-pressed", String(isDark()));
    for (const figure of figures) if (!waiting.has(figure.target)) draw(figure);
  }

  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    recolour();
  });
  darkSystem.addEventListener("change", recolour);
  toggle.setAttribute("aria-pressed", String(isDark()));
})();
