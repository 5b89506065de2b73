// Conversion between slider positions, 0 to 1, and values, as in zpfit/inference/priors.py.

export function valueAt(slider, position) {
  const { scale, lower, upper } = slider;
  switch (scale) {
    case "log_uniform":
      return short(lower * (upper / lower) ** position);
    case "signed_log_uniform": {
      const s = 2 * position - 1;
      if (Math.abs(s) < 1e-9) return 0;
      return short(Math.sign(s) * lower * (upper / lower) ** Math.abs(s));
    }
    case "fractions": {
      const steps = stepsOf(slider);
      const index = Math.min(Math.max(Math.floor(position * (2 * steps + 1)), 0), 2 * steps);
      return Number(((index - steps) * slider.step).toPrecision(12));
    }
    default:
      return short(lower + position * (upper - lower));
  }
}

export function positionOf(slider, value) {
  const { scale, lower, upper } = slider;
  switch (scale) {
    case "log_uniform":
      return value > 0 ? Math.log(value / lower) / Math.log(upper / lower) : -1;
    case "signed_log_uniform": {
      const size = Math.max(Math.log(Math.abs(value) / lower) / Math.log(upper / lower), 0);
      return 0.5 * (1 + Math.sign(value) * size);
    }
    case "fractions": {
      const steps = stepsOf(slider);
      return (value / slider.step + steps + 0.5) / (2 * steps + 1);
    }
    default:
      return (value - lower) / (upper - lower);
  }
}

/** Number of values of a slider; 2001 for a continuous one. */
export function countOf(slider) {
  return slider.scale === "fractions" ? 2 * stepsOf(slider) + 1 : 2001;
}

/** Positions and labels of ticks along an axis. */
export function ticksOf(slider, most = 7) {
  const values = tickValues(slider, most);
  return {
    tickvals: values.map((value) => positionOf(slider, value)),
    ticktext: values.map((value) => label(value, slider.scale)),
  };
}

/** Below this size a number is rounding noise; no coupling or ratio of such a size has an effect. */
const NEGLIGIBLE = 1e-12;

/**
 * A number as text with a few significant digits. `noise` is the size below which the number means
 * nothing.
 */
export function words(value, digits = 3, noise = NEGLIGIBLE) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < noise) return `<${words(noise, 2, 0)}`;
  const text = size >= 1e5 || size < 1e-3
    ? value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−").replace("e-", "e−");
}

/** A number as text for an input, with three digits. */
export function brief(value) {
  return plain(Number(value.toPrecision(3)));
}

/** A number as text with all of its digits, for addresses and commands. */
export function plain(value) {
  const small = value !== 0 && Math.abs(value) < 1e-3;
  return small ? value.toExponential() : String(value);
}

/** A value of a grid node, rounded to six digits. */
export function trimmed(value) {
  return Number(value.toPrecision(6));
}

function stepsOf(slider) {
  return Math.round(slider.upper / slider.step);
}

function short(value) {
  return Number(value.toPrecision(4));
}

function tickValues(slider, most) {
  const { scale, lower, upper } = slider;
  if (scale === "log_uniform") return decades(lower, upper, most);
  if (scale === "signed_log_uniform") {
    const sizes = decades(lower, upper, Math.floor(most / 2)).filter((v) => v > lower * 3);
    return [...sizes.map((v) => -v).reverse(), 0, ...sizes];
  }
  const step = niceStep((upper - lower) / most);
  const found = [];
  for (let k = Math.ceil(lower / step); k * step <= upper * (1 + 1e-9); k += 1) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

function decades(lower, upper, most) {
  const first = Math.ceil(Math.log10(lower) - 1e-9);
  const last = Math.floor(Math.log10(upper) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / most));
  const found = [];
  const leads = last - first < 2 ? [1, 2, 5] : last - first < 3 && most > 5 ? [1, 3] : [1];
  for (let power = first - 1; power <= last; power += 1) {
    if ((last - power) % every) continue;
    for (const lead of leads) {
      const value = Number(`${lead}e${power}`);
      if (value >= lower * (1 - 1e-9) && value <= upper * (1 + 1e-9)) found.push(value);
    }
  }
  return found;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((lead) => lead * power >= rough * (1 - 1e-9));
}

function label(value, scale) {
  if (value === 0) return "0";
  const power = Math.round(Math.log10(Math.abs(value)));
  if (scale.includes("log") && (power < -2 || power > 3)) {
    const lead = Math.round(Math.abs(value) / 10 ** power);
    const sign = value < 0 ? "−" : "";
    return `${sign}${lead === 1 ? "" : `${lead}·`}10<sup>${String(power).replace("-", "−")}</sup>`;
  }
  return words(value);
}
