/** The bars of the design: what is promised, and whether it holds. */

export type Bar =
  /** Of the product's value to the bare one's. */
  | { readonly kind: "ratio"; readonly at_most?: number; readonly at_least?: number }
  | { readonly kind: "value"; readonly at_most: number }
  /** Shown for orientation. */
  | { readonly kind: "none" };

export type Verdict = "held" | "MISSED" | "–";

export function barText(bar: Bar): string {
  switch (bar.kind) {
    case "ratio":
      return bar.at_most === undefined ? `≥ ${bar.at_least} ×` : `≤ ${bar.at_most} ×`;
    case "value":
      return `≤ ${bar.at_most}`;
    case "none":
      return "–";
  }
}

/** Without a value there is no verdict: nothing is held that was not measured. */
export function verdictOf(bar: Bar, product: number | undefined, ratio: number | undefined): Verdict {
  const value = bar.kind === "ratio" ? ratio : product;
  if (bar.kind === "none" || value === undefined) return "–";
  const { at_most, at_least } = { at_least: undefined, at_most: undefined, ...bar };
  const high = at_most !== undefined && value > at_most;
  const low = at_least !== undefined && value < at_least;
  return high || low ? "MISSED" : "held";
}
