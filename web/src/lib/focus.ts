/** Keeping the keyboard's place. */

/** Whether an element is on the page and displayed. */
const isShown = (element: HTMLElement): boolean => element.isConnected && element.getClientRects().length > 0;

/**
 * Moves the focus when the element that has it disappears from `root`: to the nearest element around it that can have
 * the focus and is still displayed, or to `fallback`. A button that is disabled for a while gets the focus back.
 * Returns the function that ends it.
 */
export function keepFocus(root: HTMLElement, fallback: () => HTMLElement | null): () => void {
  let last: HTMLElement | null = null;
  let around: HTMLElement[] = [];
  let disabled = false;

  function remember({ target }: FocusEvent) {
    if (!(target instanceof HTMLElement) || !root.contains(target)) return;
    last = target;
    disabled = false;
    around = [];
    for (let element = target.parentElement; element && element !== root; element = element.parentElement) {
      if (element.hasAttribute('tabindex')) around.push(element);
    }
  }

  /** A click on what cannot have the focus takes it away on purpose. */
  function pointed({ target }: PointerEvent) {
    if (target instanceof Element && !target.closest('button, a, input, select, textarea, label, [tabindex]')) {
      last = null;
    }
  }

  function check() {
    const active = document.activeElement;
    if (!last || (active !== null && active !== document.body)) return;
    if (isShown(last)) {
      if (last.matches(':disabled')) disabled = true;
      else if (disabled) last.focus({ preventScroll: true });
      return;
    }
    (around.find(isShown) ?? fallback())?.focus({ preventScroll: true });
  }

  const observer = new MutationObserver(check);
  observer.observe(root, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['hidden', 'disabled', 'class'],
  });
  root.addEventListener('focusin', remember);
  root.addEventListener('pointerdown', pointed);
  return () => {
    observer.disconnect();
    root.removeEventListener('focusin', remember);
    root.removeEventListener('pointerdown', pointed);
  };
}
