/** Markdown → elements, with what the page adds to links and tables. */
import { markdownHtml } from "./markdown-html.ts";

export function renderMarkdown(text: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = markdownHtml(text);
  for (const link of template.content.querySelectorAll("a")) openOutside(link);
  for (const table of template.content.querySelectorAll("table")) makeScrollable(table);
  return template.content;
}

function openOutside(link: HTMLAnchorElement): void {
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

/** A wide table scrolls by itself, not the whole page; focusable, so that a keyboard can scroll it. */
function makeScrollable(table: HTMLTableElement): void {
  const frame = document.createElement("div");
  frame.className = "table-frame";
  frame.tabIndex = 0;
  table.replaceWith(frame);
  frame.append(table);
}
