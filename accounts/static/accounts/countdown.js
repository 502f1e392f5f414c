// A button that says how long it has to be waited for. Without this file it can be pressed at once, and the page says
// then that it is too early.
for (const button of document.querySelectorAll("button[data-wait-s]")) {
  const ready = button.textContent;
  const until = Date.now() + 1000 * Number(button.dataset.waitS);
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace("%s", left) : ready;
    if (left > 0) {
      setTimeout(show, 1000);
    }
  };
  show();
}
