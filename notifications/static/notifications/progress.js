// Keeps {% email_progress %} up to date until it names no newer version, and counts down until it can be resent. Without
// JavaScript the page has a link to check again, and the server answers how long to wait.
const LONGEST_WAIT_S = 30;

function follow(part, waitS = Number(part.dataset.pollS)) {
  countDown(part.querySelector("[data-wait-s]"));
  if (!part.dataset.pollUrl) {
    return;
  }
  setTimeout(async () => {
    if (!part.isConnected) {
      return;
    }
    try {
      const fresh = document.hidden ? part : await newer(part.dataset.pollUrl);
      if (fresh === null) {
        return;
      }
      if (fresh.dataset.version !== part.dataset.version) {
        show(part, fresh);
      }
      follow(part);
    } catch {
      // The server cannot answer now.
      follow(part, Math.min(2 * waitS, LONGEST_WAIT_S));
    }
  }, 1000 * waitS);
}

async function newer(url) {
  const answer = await fetch(url, { redirect: "error" });
  if (answer.status === 410) {
    // The link has expired. What is shown stays.
    return null;
  }
  const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
  const found = page.querySelector(".mailroom-progress");
  if (!found) {
    throw new Error(answer.status);
  }
  return found;
}

// Screen readers announce what changes in a part that stays.
function show(part, fresh) {
  const action = part.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
  for (const name of Object.keys({ ...part.dataset, ...fresh.dataset })) {
    if (name in fresh.dataset) {
      part.dataset[name] = fresh.dataset[name];
    } else {
      delete part.dataset[name];
    }
  }
  for (const shown of part.querySelectorAll("[data-part]")) {
    const found = fresh.querySelector(`[data-part="${shown.dataset.part}"]`);
    // What stays the same is not announced again.
    if (shown.innerHTML !== found?.innerHTML) {
      shown.replaceChildren(...(found?.childNodes ?? []));
    }
  }
  if (action) {
    part.querySelector(`[data-action="${action}"]`)?.focus();
  }
}

function countDown(button) {
  if (!button || button.dataset.ready) {
    return;
  }
  const ready = (button.dataset.ready = button.textContent);
  const until = Date.now() + 1000 * Number(button.dataset.waitS);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace("%s", left) : ready;
    if (left > 0 && button.isConnected) {
      setTimeout(tick, 1000);
    }
  };
  tick();
}

document.querySelectorAll(".mailroom-progress").forEach(follow);
