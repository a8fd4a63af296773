/** Making elements. Text goes in as text, never as markup. */

export interface Attributes {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly href?: string;
  readonly id?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly aria?: Readonly<Record<string, string>>;
}

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { class: names, text, data = {}, aria = {}, ...plain } = attributes;
  if (names !== undefined) element.className = names;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(plain)) element.setAttribute(name, value);
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}

export function button(text: string, names: string, run: () => void): HTMLButtonElement {
  const element = el("button", { class: names, text });
  element.type = "button";
  element.addEventListener("click", run);
  return element;
}

/** The element of that id and class; a page without it is a bug. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`index.html has no ${kind.name} #${id}`);
}
