/** Small drawings on buttons, made here so that the page needs no other file. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  rename: "M4 20h4L19 9l-4-4L4 16v4Z",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  good: "M7 11v9H4v-9h3Zm0 0 4-8a2.5 2.5 0 0 1 2.5 2.5V9h5a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.3 20H7",
  bad: "M7 12V3H4v9h3Zm0 0 4 8a2.5 2.5 0 0 0 2.5-2.5V14h5a2 2 0 0 0 2-2.3l-1.2-7A2 2 0 0 0 17.3 3H7",
} as const;

export function icon(name: keyof typeof PATHS): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
