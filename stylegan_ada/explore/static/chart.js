// Curves over thousands of images shown, as SVG, with a table of the last values for those who cannot see them.

import { el } from "./parts.js";

const WIDTH = 320, HEIGHT = 170, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 24;
const SVG = "http://www.w3.org/2000/svg";

function svg(name, properties, text) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) found.setAttribute(key, value);
  if (text !== undefined) found.textContent = text;
  return found;
}

const short = (value) => (value === 0 ? "0" : Math.abs(value) >= 1000 || Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3))));

// panel: {title, names}; rows: [{kimg, name: value}]. Null where there is nothing to show.
export function chart({ title, names }, rows) {
  const series = names.map((name) => [name, rows.filter((row) => name in row && "kimg" in row)]).filter(([, own]) => own.length);
  if (!series.length) return null;
  const xs = series.flatMap(([, own]) => own.map((row) => row.kimg));
  const ys = series.flatMap(([name, own]) => own.map((row) => row[name]));
  const right = Math.max(...xs, 1e-9);
  let low = Math.min(...ys), high = Math.max(...ys);
  if (low > 0 && low < high / 2) low = 0;
  if (low === high) { low -= 0.5; high += 0.5; }
  const x = (kimg) => LEFT + (WIDTH - LEFT - RIGHT) * (kimg / right);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * ((value - low) / (high - low));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  for (const share of [0, 0.5, 1]) {
    const value = low + share * (high - low);
    drawing.append(svg("line", { class: "grid-line", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 4, y: y(value) + 3, "text-anchor": "end" }, short(value)),
      svg("text", { x: x(share * right), y: HEIGHT - 8, "text-anchor": share === 1 ? "end" : share ? "middle" : "start" }, short(share * right)));
  }
  series.forEach(([name, own], index) => {
    const points = own.map((row) => `${x(row.kimg).toFixed(1)},${y(row[name]).toFixed(1)}`);
    drawing.append(svg("polyline", { class: `s${index}`, points: points.join(" ") }));
    if (own.length === 1) drawing.append(svg("circle", { cx: x(own[0].kimg), cy: y(own[0][name]), r: 2.5 }));
  });
  const legend = series.map(([name, own], index) => {
    const line = svg("svg", { viewBox: "0 0 24 6", width: 24, height: 6, class: "key", "aria-hidden": "true" });
    line.append(svg("polyline", { class: `s${index}`, points: "0,3 24,3" }));
    return el("span", {}, line, ` ${name} ${short(own.at(-1)[name])} `);
  });
  return el("figure", { class: "chart" }, el("figcaption", {}, el("strong", {}, title), ", over thousand images. Last: ", ...legend), drawing);
}
