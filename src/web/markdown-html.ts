/** Markdown → HTML that is safe by micromark's defaults: raw HTML comes out as text, links keep harmless protocols only. */
import { micromark } from "micromark";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";

const OPTIONS = { extensions: [gfmTable()], htmlExtensions: [gfmTableHtml()] };

export function markdownHtml(text: string): string {
  return micromark(text, OPTIONS);
}
