/*
 * The chat on your site: one line, <script async src="…/widget/main.js"></script>, and no other file.
 *
 * It speaks the protocol of docs/webchat/openapi.yaml and keeps three things in this browser: the
 * visitor's token, what could not be sent yet, and up to where the visitor has read. Nothing is kept
 * before the chat is opened. Everything that somebody wrote goes into text nodes.
 *
 * On the script element: data-language, data-theme (light, dark), data-color, data-side (start),
 * data-identity (a JWT) or data-identity-url (of your own site, answers with one).
 * For the page: window.sportello.open(), close(), identify(jwt or function), logout().
 */
(() => {
  'use strict';
  const script = document.currentScript;
  if (!script || window.sportello) return;
  const place = new URL(script.src);
  const site = place.pathname.split('/').pop().replace(/\.js$/, '');
  const base = place.origin + place.pathname.replace(/\/widget\/[^/]*$/, '');
  const options = script.dataset;

  // ----- what this browser keeps -----------------------------------------------------------------

  const STORE = `sportello:${base}/${site}`;
  const kept = { token: '', identified: false, read: '', outbox: [], texts: null, open: false };
  const load = () => {
    try { Object.assign(kept, JSON.parse(localStorage.getItem(STORE) || '{}')); } catch { /* none */ }
  };
  const keep = (changes) => {
    Object.assign(kept, changes);
    try { localStorage.setItem(STORE, JSON.stringify(kept)); } catch { /* a private window */ }
  };
  load();

  // ----- talking to the function -------------------------------------------------------------------

  const SECOND = 1000;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const jitter = (ms) => ms * (0.8 + Math.random() * 0.4);
  const uuid = () => (crypto.randomUUID ? crypto.randomUUID()
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(''));

  class Refused extends Error {
    constructor(status, code, wait) {
      super(code);
      Object.assign(this, { status, code, wait });
    }
    /** Nothing is wrong with the request itself. */
    get passes() { return this.status === 0 || this.status === 429 || this.status >= 500; }
  }

  async function ask(method, action, { body, query, headers } = {}) {
    const url = `${base}/${action}/${site}${query ? `?${new URLSearchParams(query)}` : ''}`;
    const sent = { ...headers };
    if (body) sent['content-type'] = 'application/json';
    if (kept.token && action !== 'session') sent.authorization = `Bearer ${kept.token}`;
    const request = { method, headers: sent, body: body && JSON.stringify(body), credentials: 'omit', cache: 'no-store' };
    let answer;
    try { answer = await fetch(url, request); } catch { throw new Refused(0, 'network'); }
    if (answer.status === 304) return { status: 304, headers: answer.headers };
    const value = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, value.error, Number(answer.headers.get('retry-after')));
    return { status: answer.status, headers: answer.headers, value };
  }

  // ----- the session -----------------------------------------------------------------------------

  let session = null;
  let opening = null;
  let identity = options.identity || null;

  async function identityNow() {
    if (typeof identity === 'function') return (await identity()) || '';
    if (identity || !options.identityUrl) return identity || '';
    const answer = await fetch(options.identityUrl, { credentials: 'same-origin', cache: 'no-store' });
    return answer.status === 200 ? (await answer.text()).trim() : '';
  }

  async function openSession() {
    const jwt = await identityNow().catch(() => '');
    if (!jwt && kept.identified && (identity || options.identityUrl)) forget(); // logged out meanwhile
    const body = { language: options.language || document.documentElement.lang || navigator.language };
    if (jwt) body.identity = jwt;
    if (kept.token) body.visitor_token = kept.token;
    session = (await ask('POST', 'session', { body })).value;
    if (!!jwt !== kept.identified) restart();
    keep({ token: session.visitor_token, identified: session.identified, texts: session.texts });
    showSession();
    return session;
  }

  /** One session at a time, however many want it. */
  function withSession({ fresh = false } = {}) {
    if (fresh || (session && session.expires * SECOND < Date.now() + 60 * SECOND)) session = null;
    if (session) return Promise.resolve(session);
    opening ||= openSession().finally(() => { opening = null; });
    return opening;
  }

  /** A call that opens the session anew where its token is good no more. */
  async function call(method, action, more) {
    await withSession();
    try { return await ask(method, action, more); } catch (error) {
      if (error.status !== 401) throw error;
      if (error.code === 'session_ended') forget();
      await withSession({ fresh: true });
      return ask(method, action, more);
    }
  }

  function forget() {
    keep({ token: '', identified: false, read: '', outbox: [] });
    session = null;
    restart();
  }

  function restart() {
    round += 1;
    messages.clear();
    cursor = etag = '';
    list.replaceChildren();
  }

  // ----- the conversation --------------------------------------------------------------------------

  const messages = new Map(); // by id: {id, from, text, time, files, state, …, element}
  const STOP_HIDDEN = 30 * 60 * SECOND;
  let cursor = '';
  let etag = '';
  let timer = 0;
  let failures = 0;
  let offline = false;
  let hiddenSince = document.hidden ? Date.now() : 0;
  const view = () => (document.hidden ? 'hidden' : isOpen ? 'open' : 'closed');

  let polling = false;
  let round = 0; // of the conversation: an answer to an earlier one comes too late

  async function poll() {
    clearTimeout(timer);
    if (polling || (!kept.token && !isOpen)) return;
    if (hiddenSince && Date.now() - hiddenSince > STOP_HIDDEN) return; // until the page is looked at again
    const asked = round;
    let wait;
    polling = true;
    try {
      await withSession();
      const query = { view: view() };
      if (cursor) query.after = cursor;
      const answer = await call('GET', 'messages', { query, headers: etag ? { 'if-none-match': etag } : {} });
      failures = 0;
      wait = Number(answer.headers.get('sportello-retry-ms'));
      if (asked === round && answer.status === 200) take(answer.value, answer.headers.get('etag'));
      if (offline) say('');
      offline = false;
      resend();
    } catch (error) {
      failures += 1;
      wait = Math.max((error.wait || 0) * SECOND, Math.min(60 * SECOND, 2 ** failures * SECOND));
      offline = isOpen && (error.status === 0 || failures > 2);
      if (offline) say(texts.offline);
    }
    polling = false;
    clearTimeout(timer);
    timer = setTimeout(poll, asked === round ? jitter(wait || 5 * SECOND) : 0);
  }

  function take(value, tag) {
    cursor = value.cursor;
    etag = tag;
    for (const message of value.messages) put({ ...message, state: 'sent', order: message.time });
    if (session && value.open !== session.desk.open) withSession({ fresh: true }).catch(() => {});
    const mine = kept.outbox.filter((waiting) => !value.messages.some((message) => message.id === waiting.id));
    if (mine.length !== kept.outbox.length) keep({ outbox: mine });
    countUnread();
  }

  /** Shows a message, or what changed of it; what the function has not confirmed yet stands last. */
  function put(message) {
    const before = messages.get(message.id);
    const order = message.order || `~${message.time}`;
    const same = before && content(before) === content(message);
    const element = same ? before.element : shown(message);
    if (before && !same) before.element.replaceWith(element);
    messages.set(message.id, { ...message, order, element });
    const atEnd = [scroller, panel].every((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 80);
    const next = [...messages.values()].filter((other) => other.order > order).sort((a, b) => (a.order < b.order ? -1 : 1))[0];
    if (!element.parentNode || element.nextSibling !== (next?.element || null)) list.insertBefore(element, next?.element || null);
    showState(messages.get(message.id));
    if (atEnd || message.from === 'visitor') toEnd();
    greeting.hidden = messages.size > 0;
    showEmail();
  }

  /** On a low screen the whole panel scrolls, else the conversation alone. */
  const toEnd = () => { for (const one of [scroller, panel]) one.scrollTop = one.scrollHeight; };
  const content = ({ text, deleted, buttons, files }) => JSON.stringify([text, deleted, buttons, files?.map((file) => [file.name, file.file])]);

  function countUnread() {
    const fromDesk = [...messages.values()].filter((message) => message.from === 'desk');
    if (isOpen && !document.hidden) {
      const newest = fromDesk.map((message) => message.time).sort().pop() || '';
      if (newest > kept.read) keep({ read: newest });
    }
    const count = fromDesk.filter((message) => message.time > kept.read).length;
    badge.textContent = count > 9 ? '9+' : String(count);
    badge.hidden = !count;
    const label = isOpen ? texts.close : texts.open;
    launcher.setAttribute('aria-label', count ? `${label}, ${fill(texts.unread, { count })}` : label);
    const news = count && !isOpen ? fill(texts.unread, { count }) : '';
    if (announcer.textContent !== news) announcer.textContent = news;
  }

  // ----- writing -------------------------------------------------------------------------------------

  const TRIES = 4;

  async function send(draft) {
    const message = { id: uuid(), from: 'visitor', text: '', time: new Date().toISOString(), ...draft, state: 'sending' };
    put(message);
    await deliver(message);
  }

  async function deliver(message) {
    const arrived = () => messages.get(message.id).state === 'sent'; // as a poll has shown, if only the answer was lost
    update(message, { state: 'sending' });
    for (let attempt = 1; !arrived(); attempt += 1) {
      try {
        await tryOnce(message);
        keep({ outbox: kept.outbox.filter((waiting) => waiting.id !== message.id) });
        update(message, { state: 'sent' });
        clearTimeout(timer);
        timer = setTimeout(poll, SECOND);
        return;
      } catch (error) {
        if (arrived()) return;
        if (!error.passes || attempt === TRIES || error.status === 429) {
          update(message, { state: 'failed', why: reason(error), again: error.passes });
          return;
        }
        await pause(jitter(2 ** attempt * 500));
        if (messages.get(message.id).state === 'sent') return; // only the answer was lost: a poll has shown it
      }
    }
  }

  async function tryOnce(message) {
    await withSession();
    for (const [number, file] of (message.files || []).entries()) {
      if (!file.file) file.file = await upload(message, number, file);
    }
    const body = { client_message_id: message.id, text: message.text };
    if (message.files) body.files = message.files.map((file) => file.file);
    if (message.button) body.button = message.button;
    const waiting = { id: message.id, time: message.time, text: message.text, files: message.files, button: message.button };
    keep({ outbox: [...kept.outbox.filter((other) => other.id !== message.id), waiting] });
    await call('POST', 'messages', { body });
  }

  async function upload(message, number, file) {
    const body = { client_message_id: message.id, number, name: file.name.slice(0, 100), type: file.type, size: file.size };
    const { value } = await call('POST', 'uploads', { body });
    const form = new FormData();
    for (const [name, field] of Object.entries(value.fields)) form.append(name, field);
    form.append('file', file.content);
    const answer = await fetch(value.url, { method: 'POST', body: form }).catch(() => null);
    if (!answer || answer.status >= 500) throw new Refused(0, 'network');
    if (!answer.ok) throw Object.assign(new Refused(422, 'file_failed'), { why: fill(texts.file_failed, { name: file.name }) });
    delete file.content;
    return value.file;
  }

  const reason = (error) => (error.status === 429 ? texts.too_many : error.why || '');
  const update = (message, changes) => put({ ...messages.get(message.id), ...changes });

  /** The network is back: what it had kept from being sent goes now. */
  function resend() {
    for (const message of messages.values()) if (message.state === 'failed' && message.again) deliver(message);
  }

  function resume() {
    for (const waiting of kept.outbox) {
      if (messages.has(waiting.id)) continue;
      put({ ...waiting, from: 'visitor', state: 'sending' });
      deliver(messages.get(waiting.id));
    }
  }

  // ----- elements --------------------------------------------------------------------------------------

  /** An element with properties, attributes (in `at`) and children; text is always a text node. */
  function el(name, { at = {}, ...properties } = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    for (const [key, value] of Object.entries(at)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  function icon(path) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    for (const [key, value] of [['viewBox', '0 0 24 24'], ['aria-hidden', 'true'], ['focusable', 'false']]) svg.setAttribute(key, value);
    svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
    svg.firstChild.setAttribute('d', path);
    return svg;
  }

  const ICONS = {
    down: 'M12 16.4 4.3 8.7l1.4-1.4 6.3 6.3 6.3-6.3 1.4 1.4z',
    chat: 'M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z',
    close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
    send: 'M3 20.5 21.5 12 3 3.5v6.6l11 1.9-11 1.9z',
    clip: 'M16.5 6v10.5a4.5 4.5 0 0 1-9 0V5.5a3 3 0 0 1 6 0V15a1.5 1.5 0 0 1-3 0V6H9v9a3 3 0 0 0 6 0V5.5a4.5 4.5 0 0 0-9 0v11a6 6 0 0 0 12 0V6z',
    file: 'M6 2h8l5 5v13a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm7 1.5V8h4.5z',
  };

  // What is said before the first session brings the desk's own words.
  const FIRST = /^it/i.test(options.language || document.documentElement.lang || navigator.language)
    ? { open: 'Scrivici', close: 'Chiudi', title: 'Messaggi', message: 'Il messaggio', offline: 'Connessione assente' }
    : { open: 'Write to us', close: 'Close', title: 'Messages', message: 'Your message', offline: 'No connection' };
  let texts = kept.texts || FIRST;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const RTL = /^(ar|he|fa|ur)/;

  const badge = el('span', { className: 'badge', hidden: true, at: { 'aria-hidden': 'true' } });
  const launcher = el('button', { type: 'button', className: 'launcher', at: { 'aria-expanded': 'false', 'aria-controls': 'panel', 'aria-label': texts.open } },
    icon(ICONS.chat), icon(ICONS.down), badge);
  const announcer = el('div', { className: 'unseen', at: { role: 'status' } });

  const title = el('h2', {}, texts.title);
  const status = el('p', { className: 'status' });
  const next = el('p', { className: 'next', hidden: true });
  const hours = el('p', { className: 'hours' });
  const closer = el('button', { type: 'button', className: 'plain', at: { 'aria-label': texts.close } }, icon(ICONS.close));
  const greeting = el('p', { className: 'greeting' });
  const list = el('ul', {});
  const log = el('div', { at: { role: 'log', 'aria-live': 'polite' } }, greeting, list);
  const notice = el('p', { className: 'notice', hidden: true, at: { role: 'status' } });

  const address = el('input', { type: 'email', id: 'address', autocomplete: 'email', required: true, at: { 'aria-describedby': 'question notice' } });
  const addressLabel = el('label', { htmlFor: 'address' });
  const saver = el('button', { type: 'submit', className: 'secondary' });
  const question = el('p', { id: 'question' });
  const email = el('form', { className: 'email', hidden: true, noValidate: true }, question, el('div', { className: 'row' }, el('div', { className: 'field' }, addressLabel, address), saver));
  const elsewhere = el('p', { className: 'elsewhere', hidden: true });

  const field = el('textarea', { id: 'field', rows: 1, at: { 'aria-describedby': 'notice' } });
  const fieldLabel = el('label', { htmlFor: 'field', className: 'unseen' }, texts.message);
  const chooser = el('input', { type: 'file', multiple: true, className: 'unseen', tabIndex: -1, at: { 'aria-hidden': 'true' } });
  const clip = el('button', { type: 'button', className: 'plain' }, icon(ICONS.clip));
  const sender = el('button', { type: 'submit', className: 'primary' }, icon(ICONS.send));
  const chosen = el('ul', { className: 'chosen', hidden: true });
  const composer = el('form', { className: 'composer' }, chosen, el('div', { className: 'row' }, chooser, clip, fieldLabel, field, sender));
  notice.id = 'notice';

  const scroller = el('div', { className: 'scroller', tabIndex: 0, at: { role: 'region' } }, log, email, elsewhere);

  const panel = el('section', { id: 'panel', className: 'panel', hidden: true, at: { role: 'dialog', 'aria-label': texts.title } },
    el('div', { className: 'head' }, el('div', {}, title, status, next, hours), closer), scroller, notice, composer);
  const host = el('sportello-chat', {});
  const root = host.attachShadow({ mode: 'open' });
  root.append(announcer, launcher, panel);

  // ----- one message -----------------------------------------------------------------------------------

  const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

  /** Text with its web addresses as links; no other markup. */
  function words(text) {
    const parts = document.createDocumentFragment();
    let from = 0;
    for (const found of text.matchAll(LINK)) {
      parts.append(text.slice(from, found.index), el('a', { href: found[0], target: '_blank', rel: 'noopener noreferrer nofollow' }, found[0]));
      from = found.index + found[0].length;
    }
    parts.append(text.slice(from));
    return parts;
  }

  function shown(message) {
    const mine = message.from === 'visitor';
    const by = el('span', { className: 'unseen' }, `${mine ? texts.you : texts.desk}: `);
    const bubble = el('div', { className: 'bubble' }, by);
    if (message.deleted) bubble.append(el('p', { className: 'gone' }, texts.deleted));
    else if (message.text) bubble.append(el('p', { dir: 'auto' }, words(message.text)));
    for (const file of message.files || []) bubble.append(fileButton(file, message));
    const item = el('li', { className: mine ? 'mine' : 'theirs' }, bubble, el('p', { className: 'under' }));
    if (message.buttons) item.append(choices(message));
    return item;
  }

  /** The line under a message, and the way out where it could not be sent. */
  function showState({ element, ...message }) {
    const parts = [clock(message.time)];
    if (message.author === 'automatic') parts.push(texts.automatic);
    if (message.from === 'visitor') parts.push({ sending: texts.sending, failed: '', sent: texts.sent }[message.state]);
    const under = element.querySelector('.under');
    if (under.textContent !== parts.filter(Boolean).join(' · ')) under.textContent = parts.filter(Boolean).join(' · ');
    element.querySelector('.failed')?.remove();
    if (message.state === 'failed') element.append(failed(message));
    for (const button of element.querySelectorAll('.file')) button.disabled = message.state !== 'sent';
  }

  function failed(message) {
    const again = el('button', { type: 'button', className: 'secondary', onclick: () => { field.focus(); deliver(messages.get(message.id)); } }, texts.retry);
    return el('div', { className: 'failed', at: { role: 'alert' } }, message.why || texts.not_sent, again);
  }

  function choices(message) {
    const tap = (button) => () => { field.focus(); send({ text: button.title, button }); };
    return el('div', { className: 'choices' }, ...message.buttons.map((button) => el('button', { type: 'button', className: 'secondary', onclick: tap(button) }, button.title)));
  }

  function fileButton(file, message) {
    const button = el('button', { type: 'button', className: 'file', disabled: message.state !== 'sent', at: { 'aria-label': fill(texts.download, { name: file.name }) } },
      icon(ICONS.file), el('span', {}, file.name), el('small', {}, bytes(file.size)));
    button.onclick = async () => {
      try {
        const { value } = await call('GET', 'files', { query: { file: file.file } });
        const link = el('a', { href: value.url, download: file.name, rel: 'noopener' });
        link.click();
      } catch { say(texts.offline); }
    };
    return button;
  }

  /** The browser's own form of the session's language: a Briton reads 19:15, an American 7:15 PM. */
  const locale = () => [...navigator.languages].find((code) => code.startsWith(session?.language || '')) || session?.language;

  function clock(time) {
    const at = new Date(time);
    const today = at.toDateString() === new Date().toDateString();
    const form = { hour: 'numeric', minute: '2-digit' };
    if (!today) Object.assign(form, { day: 'numeric', month: 'short' });
    if (at.getFullYear() !== new Date().getFullYear()) form.year = 'numeric';
    return new Intl.DateTimeFormat(locale(), form).format(at);
  }

  function bytes(size) {
    const [number, unit] = size < 1e6 ? [Math.max(1, Math.round(size / 1024)), 'kilobyte'] : [Math.round(size / 104857.6) / 10, 'megabyte'];
    return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short' }).format(number);
  }

  // ----- around the conversation -------------------------------------------------------------------------

  function say(text, name = '') {
    notice.className = `notice ${name}`;
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = !text;
  }

  const NAMES = { telegram: 'Telegram', whatsapp: 'WhatsApp', messenger: 'Messenger' };

  function showSession() {
    const { desk, language } = session;
    texts = session.texts;
    host.lang = language;
    host.dir = RTL.test(language) ? 'rtl' : 'ltr';
    title.textContent = desk.name;
    panel.setAttribute('aria-label', `${desk.name}, ${texts.title}`);
    status.textContent = desk.open ? texts.open_now : texts.closed_now;
    next.textContent = fill(texts.next_opening, { opening: desk.next_opening_words });
    next.hidden = desk.open || !desk.next_opening_words;
    status.className = `status ${desk.open ? 'open' : 'shut'}`;
    hours.textContent = fill(texts.hours, { hours: desk.hours });
    for (const one of [scroller, log]) one.setAttribute('aria-label', texts.conversation);
    greeting.textContent = texts.greeting;
    greeting.hidden = messages.size > 0;
    for (const [element, text] of [[closer, texts.close], [clip, texts.attach], [sender, texts.send]]) {
      element.setAttribute('aria-label', text);
      element.title = text;
    }
    fieldLabel.textContent = field.placeholder = texts.message;
    field.maxLength = session.limits.text;
    chooser.accept = session.limits.file_types.join();
    addressLabel.textContent = texts.email_label;
    question.textContent = texts.email_ask;
    saver.textContent = texts.email_save;
    elsewhere.replaceChildren(texts.elsewhere, ...session.links.flatMap((link) => [' ', el('a', { href: link.url, target: '_blank', rel: 'noopener noreferrer' }, NAMES[link.channel])]));
    elsewhere.hidden = !session.links.length;
    showEmail();
    countUnread();
  }

  function showEmail() {
    const newest = [...messages.values()].sort((a, b) => (a.order < b.order ? -1 : 1)).pop();
    const waits = newest && newest.author !== 'person'; // whoever has a person's answer is there to read it
    email.hidden = !session || !session.follows_by_email || session.has_email || !waits;
  }

  // ----- what the visitor does ------------------------------------------------------------------------------

  let isOpen = false;
  let files = [];

  function open({ focus = true } = {}) {
    if (isOpen) return;
    isOpen = true;
    panel.hidden = false;
    launcher.setAttribute('aria-expanded', 'true');
    launcher.classList.add('away');
    keep({ open: true });
    if (focus) field.focus();
    withSession().then(resume, () => {}).then(poll);
    toEnd();
    countUnread();
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    panel.hidden = true;
    launcher.setAttribute('aria-expanded', 'false');
    launcher.classList.remove('away');
    keep({ open: false });
    if (root.activeElement) launcher.focus();
    countUnread();
  }

  function choose(given) {
    say('');
    for (const content of given) {
      if (!session || files.length >= session.limits.files) break;
      if (!session.limits.file_types.includes(content.type)) say(texts.file_type, 'wrong');
      else if (content.size > session.limits.file_bytes) say(fill(texts.file_too_large, { size: bytes(session.limits.file_bytes) }), 'wrong');
      else if (content.size) files.push({ name: content.name, type: content.type, size: content.size, content });
    }
    showChosen();
  }

  function showChosen() {
    chosen.hidden = !files.length;
    chosen.replaceChildren(...files.map((file) => el('li', {}, el('span', {}, file.name), el('small', {}, bytes(file.size)),
      el('button', { type: 'button', className: 'plain', onclick: () => { files = files.filter((other) => other !== file); showChosen(); clip.focus(); }, at: { 'aria-label': fill(texts.remove_file, { name: file.name }) } }, icon(ICONS.close)))));
  }

  function grow() {
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, 132)}px`;
  }

  launcher.onclick = () => (isOpen ? close() : open());
  closer.onclick = close;
  clip.onclick = () => chooser.click();
  chooser.onchange = () => { choose(chooser.files); chooser.value = ''; field.focus(); };
  field.oninput = grow;
  field.onpaste = (event) => { if (event.clipboardData.files.length) { event.preventDefault(); choose(event.clipboardData.files); } };
  field.onkeydown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    composer.requestSubmit();
  };
  host.onkeydown = (event) => {
    if (event.key === 'Escape' && isOpen) { event.stopPropagation(); close(); }
  };
  panel.ondragover = (event) => event.preventDefault();
  panel.ondrop = (event) => { event.preventDefault(); choose(event.dataTransfer.files); };
  composer.onsubmit = (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!session || (!text && !files.length)) { field.focus(); return; }
    send(files.length ? { text, files } : { text });
    files = [];
    field.value = '';
    showChosen();
    grow();
    field.focus();
  };
  email.onsubmit = async (event) => {
    event.preventDefault();
    const value = address.value.trim();
    address.setAttribute('aria-invalid', String(!address.checkValidity()));
    if (!address.checkValidity()) { say(texts.email_wrong, 'wrong'); address.focus(); return; }
    try {
      const { value: given } = await call('POST', 'contact', { body: { email: value } });
      keep({ token: given.visitor_token });
      session.has_email = true;
      showEmail();
      field.focus();
      say(fill(texts.email_saved, { email: value }));
    } catch (error) {
      say(error.status === 422 ? texts.email_wrong : reason(error) || texts.offline, 'wrong');
      address.focus();
    }
  };
  document.addEventListener('visibilitychange', () => {
    hiddenSince = document.hidden ? Date.now() : 0;
    if (!document.hidden) poll();
    countUnread();
  });
  addEventListener('online', poll);
  addEventListener('storage', (event) => { if (event.key === STORE) { const before = kept.token; load(); if (!kept.token && before) restart(); } });

  // ----- how it looks -------------------------------------------------------------------------------------

  const STYLE = `
:host { all: initial; color-scheme: light; --ink: #1b1a19; --soft: #595652; --paper: #fff; --sheet: #f1efeb; --line: #8a8680; --wrong: #b3261e; --good: #1d6b3a;
  --accent: #0e5a5a; --on-accent: #fff; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); }
:host([theme=dark]) { color-scheme: dark; --ink: #f2f0ed; --soft: #bcb8b2; --paper: #1c1e20; --sheet: #2d3134; --line: #82868a; --wrong: #ffb4ab; --good: #8fd6a5; }
@media (prefers-color-scheme: dark) { :host(:not([theme=light])) { color-scheme: dark; --ink: #f2f0ed; --soft: #bcb8b2; --paper: #1c1e20; --sheet: #2d3134; --line: #82868a; --wrong: #ffb4ab; --good: #8fd6a5; } }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2, ul { margin: 0; padding: 0; list-style: none; }
button, textarea, input { font: inherit; color: inherit; }
button { cursor: pointer; border: 1px solid transparent; background: none; border-radius: 8px; min-height: 44px; min-width: 44px; }
button:disabled { cursor: default; opacity: .65; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; box-shadow: 0 0 0 2px var(--paper); }
svg { width: 24px; height: 24px; fill: currentColor; display: block; margin: auto; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.launcher { position: fixed; z-index: 2147483000; bottom: max(20px, env(safe-area-inset-bottom)); right: 20px; width: 60px; height: 60px;
  border-radius: 50%; background: var(--accent); color: var(--on-accent); box-shadow: 0 4px 16px #0005; }
.launcher svg { width: 28px; height: 28px; }
.launcher svg + svg, .launcher.away svg { display: none; }
.launcher.away svg + svg { display: block; }
.badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 24px; height: 24px; padding: 0 6px; border-radius: 12px;
  background: #b3261e; color: #fff; font: 700 14px/24px system-ui, sans-serif; box-shadow: 0 0 0 2px #fff; }
.panel { position: fixed; z-index: 2147483000; bottom: 92px; right: 20px; width: 392px; max-width: calc(100vw - 40px);
  height: 640px; max-height: calc(100vh - 112px); display: flex; flex-direction: column; overflow: hidden; background: var(--paper);
  border: 1px solid var(--line); border-radius: 16px; box-shadow: 0 12px 40px #0004; animation: come .18s ease-out; }
:host([at=left]) .launcher, :host([at=left]) .panel { left: 20px; right: auto; }
@keyframes come { from { opacity: 0; transform: translateY(12px); } }
.head { display: flex; gap: 8px; align-items: flex-start; padding: 16px 12px 14px 20px; padding-inline: 20px 12px; background: var(--accent); color: var(--on-accent); }
.head > div { flex: 1; min-width: 0; }
.head :focus-visible { outline-color: var(--on-accent); box-shadow: none; }
h2 { font-size: 18px; line-height: 1.3; font-weight: 650; }
.status { font-size: 15px; margin-block-start: 2px; }
.status::before { content: ""; display: inline-block; width: 9px; height: 9px; margin-inline-end: 7px; border-radius: 50%; border: 2px solid currentColor; }
.status.open::before { background: currentColor; }
.next { font-size: 15px; }
.hours { font-size: 13.5px; line-height: 1.4; margin-block-start: 2px; }
.scroller { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px 20px; }
.scroller:focus-visible { outline-offset: -4px; }
.greeting { background: var(--sheet); border-radius: 14px; border-end-start-radius: 4px; padding: 10px 14px; margin-block-end: 14px; width: fit-content; max-width: 86%; }
li { display: flex; flex-direction: column; align-items: flex-start; margin-block-end: 14px; }
li.mine { align-items: flex-end; }
.bubble { max-width: 86%; padding: 9px 14px; border: 1px solid transparent; border-radius: 14px; background: var(--sheet); border-end-start-radius: 4px; overflow-wrap: anywhere; }
.mine .bubble { background: var(--accent); color: var(--on-accent); border-radius: 14px; border-end-end-radius: 4px; }
.bubble p { white-space: pre-wrap; }
.bubble a { color: inherit; }
.gone { font-style: italic; }
.under { font-size: 13px; color: var(--soft); margin: 3px 4px 0; }
.failed { display: flex; align-items: center; justify-content: flex-end; gap: 10px; color: var(--wrong); font-size: 14px; margin-block-start: 4px; }
.choices { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 8px; }
.file { display: flex; align-items: center; gap: 8px; width: 100%; padding: 4px 10px; margin-block: 4px; border-color: currentColor; text-align: start; }
.file svg { flex: none; margin: 0; }
.file span, .chosen span { flex: 1; overflow-wrap: anywhere; }
small { font-size: 13px; white-space: nowrap; }
.notice { padding: 8px 20px; font-size: 14px; color: var(--soft); border-block-start: 1px solid var(--sheet); }
.notice.wrong { color: var(--wrong); }
.email { padding: 12px 14px 14px; font-size: 14px; border: 1px solid var(--line); border-radius: 12px; }
.email .row { align-items: flex-end; margin-block-start: 4px; }
.field { flex: 1; }
label { display: block; font-weight: 600; font-size: 13.5px; }
.row { display: flex; gap: 6px; align-items: flex-end; }
input[type=email], textarea { width: 100%; min-height: 44px; padding: 9px 12px; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
input[type=email] { border-radius: 8px; }
[aria-invalid=true] { border-color: var(--wrong) !important; }
input:focus-visible, textarea:focus-visible { outline-width: 2px; outline-offset: 0; box-shadow: none; }
textarea { flex: 1; display: block; resize: none; line-height: 24px; }
::placeholder { color: var(--soft); opacity: 1; }
.composer { padding: 10px 12px max(12px, env(safe-area-inset-bottom)); border-block-start: 1px solid var(--sheet); }
.primary { background: var(--accent); color: var(--on-accent); border-radius: 10px; flex: none; }
:host([dir=rtl]) .primary svg { transform: scaleX(-1); }
.plain { flex: none; border-radius: 10px; }
.plain:hover { background: #8883; }
.secondary { padding: 0 14px; border-color: var(--line); background: var(--paper); color: var(--ink); font-weight: 600; font-size: 14px; }
.secondary:hover { border-color: currentColor; }
.chosen { padding-block-end: 8px; }
.chosen li { flex-direction: row; align-items: center; gap: 8px; margin: 0 0 4px; padding-inline-start: 12px; background: var(--sheet); border-radius: 10px; font-size: 14px; }
.elsewhere { margin-block-start: 4px; font-size: 14px; color: var(--soft); }
.elsewhere a { color: var(--ink); display: inline-block; min-width: 44px; padding: 12px 4px; }
@media (max-width: 480px), (max-height: 480px) {
  .panel { inset: 0; width: 100%; max-width: none; height: 100%; height: 100dvh; max-height: none; border: 0; border-radius: 0; }
  :host([at=left]) .panel { inset: 0; }
  .launcher.away { visibility: hidden; }
}
@media (max-height: 480px) {
  .panel { overflow-y: auto; }
  .scroller { flex: 1 0 auto; overflow: visible; }
  .composer { position: sticky; inset-block-end: 0; background: var(--paper); }
}
@media (prefers-reduced-motion: reduce) { .panel { animation: none; } }
@media (forced-colors: active) { .launcher, .bubble, .head { border: 1px solid; } svg { fill: CanvasText; } }
@media print { :host { display: none; } }
`;

  /** White or black on the company's colour, whichever reads better: one of them always has 4.5 : 1. */
  function colour(value) {
    if (!/^#[0-9a-f]{6}$/i.test(value || '')) return;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    host.style.setProperty('--accent', value);
    host.style.setProperty('--on-accent', light > 0.179 ? '#000' : '#fff');
  }

  function dress() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch { // before 2023
      root.prepend(el('style', { nonce: script.nonce, textContent: STYLE }));
    }
    if (options.theme) host.setAttribute('theme', options.theme);
    const backwards = getComputedStyle(document.documentElement).direction === 'rtl';
    if ((options.side === 'start') !== backwards) host.setAttribute('at', 'left'); // the end of a line, as the page reads
    colour(options.color);
  }

  // ----- begin ----------------------------------------------------------------------------------------------

  window.sportello = {
    open,
    close,
    /** A JWT of your back end, or a function that fetches one; it is asked again when it has run out. */
    identify(value) {
      identity = value;
      if (kept.token || isOpen) withSession({ fresh: true }).then(poll, () => {});
    },
    /** The visitor is somebody else now: nothing of the last one stays. */
    logout() {
      identity = null;
      forget();
      if (isOpen) withSession().then(poll, () => {});
      else countUnread();
    },
  };

  function begin() {
    dress();
    document.body.append(host);
    if (kept.open && !matchMedia('(max-width: 480px)').matches) open({ focus: false });
    else if (kept.token) withSession().then(resume, () => {}).then(poll);
    document.dispatchEvent(new CustomEvent('sportello:ready'));
  }
  if (document.body) begin();
  else addEventListener('DOMContentLoaded', begin);
})();
