// Buttons that count down until they can be pressed. Without JavaScript they can be pressed immediately, and the server
// answers how long to wait.
function countDown(button) {
  if (button.dataset.ready) {
    return;
  }
  const ready = (button.dataset.ready = button.textContent);
  const until = Date.now() + 1000 * Number(button.dataset.waitS);
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace("%s", left) : ready;
    if (left > 0 && button.isConnected) {
      setTimeout(show, 1000);
    }
  };
  show();
}

function countAllDown(part) {
  part.querySelectorAll("button[data-wait-s]").forEach(countDown);
}

countAllDown(document);
document.addEventListener("htmx:oobAfterSwap", (event) => countAllDown(event.target));
