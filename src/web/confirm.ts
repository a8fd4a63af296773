/** Asks in the page before something is gone for good. */
import { byId } from "./dom.ts";

/** Resolves to true if it was confirmed; closing it in any way is a no. */
export function confirmDeletion(title: string): Promise<boolean> {
  const dialog = byId("delete-dialog", HTMLDialogElement);
  byId("delete-name", HTMLElement).textContent = title;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

export function setUpConfirmation(): void {
  const dialog = byId("delete-dialog", HTMLDialogElement);
  byId("delete-confirm", HTMLButtonElement).addEventListener("click", () => dialog.close("delete"));
  byId("delete-cancel", HTMLButtonElement).addEventListener("click", () => dialog.close());
}
