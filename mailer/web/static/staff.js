/* Everything here is an addition: each page does its whole task without this file. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const clock = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  function say(line, words, bad) {
    if (!line) return;
    line.textContent = words;
    line.dataset.state = bad ? "bad" : "";
  }

  /* Pressed once: words change, a second press is ignored. */
  function busy(event) {
    const form = event.target;
    if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    const button = event.submitter;
    if (form.method === "get" || (button && button.formTarget)) return;
    form.dataset.sent = "1";
    if (!button) return;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.busy) {
      button.dataset.idle = button.textContent;
      button.textContent = button.dataset.busy;
    }
  }

  function rested() {
    for (const form of $$("form[data-sent]")) delete form.dataset.sent;
    for (const button of $$("[aria-busy=true]")) {
      button.removeAttribute("aria-busy");
      if (button.dataset.idle) button.textContent = button.dataset.idle;
    }
  }

  /* Autosave: form[data-autosave-url], its line [data-autosave-line]. */
  function autosave(form) {
    const line = $("[data-autosave-line]");
    const read = () => new URLSearchParams(Array.from(new FormData(form)).filter(([, value]) => typeof value === "string"));
    let saved = read().toString();
    let running = null;

    const failed = () => say(line, "Could not save. Your text is kept in this window. Copy it before you close.", true);

    async function write() {
      const body = read();
      const words = body.toString();
      if (words === saved) return true;
      say(line, "Saving…");
      try {
        const answer = await fetch(form.dataset.autosaveUrl, {
          method: "POST", body, credentials: "same-origin", redirect: "error", headers: { Accept: "application/json" },
        });
        if (!answer.ok) { failed(); return false; }
        const told = await answer.json().catch(() => ({}));
        for (const [name, value] of Object.entries(told.fields || {})) {
          if (form.elements[name]) form.elements[name].value = value;
        }
        saved = told.fields ? read().toString() : words;
        say(line, told.message || "Saved " + (told.saved_at || clock()));
        document.dispatchEvent(new CustomEvent("mailer:saved"));
        return true;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        failed();
        return false;
      }
    }

    function save() {
      running = (running || Promise.resolve()).then(write);
      return running;
    }

    setInterval(save, 10000);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "hidden" || form.dataset.sent) return;
      const body = read();
      if (body.toString() !== saved && navigator.sendBeacon(form.dataset.autosaveUrl, body)) saved = body.toString();
    });
    form.mailerSave = save;
    return save;
  }

  /* Preview: a sandboxed frame that is loaded again after a save. */
  function preview(save) {
    const form = $("form[data-autosave-url]");
    if (!form) return;
    let timer = 0;
    const again = () => {
      const frame = $("iframe[data-preview]");
      if (frame) frame.setAttribute("src", frame.getAttribute("src"));
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(save, 700);
    });
    document.addEventListener("mailer:saved", again);
  }

  /* Toolbar: buttons that write marks into a textarea. */
  function toolbar(bar) {
    const area = document.getElementById(bar.dataset.toolbarFor);
    if (!area) return;
    const buttons = $$("button", bar);
    bar.hidden = false;
    buttons.forEach((button, at) => { button.tabIndex = at ? -1 : 0; });
    bar.addEventListener("keydown", (event) => {
      const rtl = getComputedStyle(bar).direction === "rtl" ? -1 : 1;
      const step = { ArrowRight: rtl, ArrowLeft: -rtl }[event.key];
      const here = buttons.indexOf(document.activeElement);
      let next = here;
      if (step) next = (here + step + buttons.length) % buttons.length;
      else if (event.key === "Home") next = 0;
      else if (event.key === "End") next = buttons.length - 1;
      else return;
      event.preventDefault();
      buttons.forEach((button, at) => { button.tabIndex = at === next ? 0 : -1; });
      buttons[next].focus();
    });
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) mark(area, button.dataset);
    });
  }

  function mark(area, { before = "", after = "", sample = "", block }) {
    const { selectionStart: from, selectionEnd: to, value } = area;
    const chosen = value.slice(from, to) || sample;
    let lead = before;
    if (block !== undefined) {
      const gap = value.slice(0, from);
      if (gap && !gap.endsWith("\n\n")) lead = (gap.endsWith("\n") ? "\n" : "\n\n") + before;
    }
    const tail = block !== undefined && !value.slice(to).startsWith("\n") ? after + "\n" : after;
    area.focus();
    area.setRangeText(lead + chosen + tail, from, to, "end");
    area.setSelectionRange(from + lead.length, from + lead.length + chosen.length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /* Keys: Ctrl or Cmd with S saves, with Enter goes to the check page. */
  function keys(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const form = $("form[data-autosave-url]");
    const check = $("[data-check]");
    if (event.key.toLowerCase() === "s" && form) {
      event.preventDefault();
      form.mailerSave();
    } else if (event.key === "Enter" && check) {
      event.preventDefault();
      check.click();
    }
  }

  function copy(button) {
    const from = document.getElementById(button.dataset.copy);
    if (!from || !navigator.clipboard) return;
    button.hidden = false;
    const words = button.textContent;
    const line = button.parentElement.querySelector("[data-copy-line]");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText("value" in from ? from.value : from.textContent.trim());
      button.textContent = "Copied";
      say(line, "Copied");
      setTimeout(() => { button.textContent = words; say(line, ""); }, 3000);
    });
  }

  function toast(box) {
    let timer = 0;
    const close = () => box.remove();
    const wait = () => { clearTimeout(timer); timer = setTimeout(close, 8000); };
    const hold = () => clearTimeout(timer);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "linklike";
    button.textContent = "Close";
    button.addEventListener("click", close);
    box.append(button);
    for (const name of ["mouseenter", "focusin"]) box.addEventListener(name, hold);
    for (const name of ["mouseleave", "focusout"]) box.addEventListener(name, wait);
    wait();
  }

  function counter(line) {
    const field = document.getElementById(line.dataset.counterFor);
    if (!field) return;
    const limit = Number(line.dataset.limit || 0);
    const count = () => {
      const length = Array.from(field.value).length;
      line.textContent = length > limit ? `${length} characters. Many phones cut after ${limit}.` : `${length} of ${limit} characters`;
    };
    field.addEventListener("input", count);
    count();
  }

  /* Live fragments: the server's fragment says when to ask again; after a failure we wait longer each time. */
  const LIVE_FIRST = 4000;
  const LIVE_LONGEST = 30000;
  let pause = LIVE_FIRST;

  function liveFailed(event) {
    const part = event.target instanceof Element ? event.target.closest("[data-live]") : null;
    if (!part) return;
    say($("[data-live-line]"), `Could not refresh. Trying again in ${Math.round(pause / 1000)} seconds.`, true);
    const url = part.getAttribute("hx-get");
    setTimeout(() => { if (part.isConnected) window.htmx.ajax("GET", url, { source: part, target: part, swap: "outerHTML" }); }, pause);
    pause = Math.min(pause * 2, LIVE_LONGEST);
  }

  function liveCame() {
    const part = $("[data-live]");
    if (!part) return;
    pause = LIVE_FIRST;
    const line = $("[data-live-line]");
    const words = part.dataset.announce || "";
    if (line && (line.dataset.state === "bad" || line.textContent !== words)) say(line, words);
  }

  function start() {
    const summary = $("[data-error-summary]");
    if (summary) summary.focus();
    $$("[data-toolbar-for]").forEach(toolbar);
    $$("[data-copy]").forEach(copy);
    $$(".toast").forEach(toast);
    $$("[data-counter-for]").forEach(counter);
    const form = $("form[data-autosave-url]");
    if (form) preview(autosave(form));
    document.addEventListener("submit", busy);
    document.addEventListener("keydown", keys);
    window.addEventListener("pageshow", (event) => { if (event.persisted) rested(); });
    for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, liveFailed);
    document.addEventListener("htmx:afterSettle", liveCame);
    document.addEventListener("click", (event) => {
      for (const open of $$("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
    });
    document.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" ? $("details.pop[open]") : null;
      if (open) { open.open = false; $("summary", open).focus(); }
    });
  }

  /* htmx notes the page's path for a history that we do not keep; nothing stays in the browser. */
  try { sessionStorage.clear(); } catch { /* There is no such store. */ }
  start();
})();
