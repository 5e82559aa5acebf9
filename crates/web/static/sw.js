// Offline start, and nothing else: keeps the files of one bundle and gives them to this page.
//
// It protects from nothing. Whoever serves the page serves this file, too, and can replace both at the next visit; what
// the page is made of is compared with `estoile verify`, from outside the browser. It never sees a message, a key or a
// link, and it answers for no path but those of the bundle: /v1, /version and all else go to the network untouched.

const CACHE = 'estoile-{{bundle}}';
const FILES = {{files}};
const KNOWN = new Set(FILES);

addEventListener('install', (event) => {
  // From the network, never from the browser's own cache: one bundle, whole, or none.
  const files = FILES.map((path) => new Request(path, { cache: 'no-cache' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
  // Where the browser can, it takes these files out of the cache itself, without starting this program first.
  // For all else it asks the network, without starting it either.
  if (!event.addRoutes || !globalThis.URLPattern) return;
  const to = (pathname, source) => ({ condition: { urlPattern: new URLPattern({ pathname }), requestMethod: 'GET' }, source });
  const kept = FILES.map((pathname) => to(pathname, { cacheName: CACHE }));
  event.waitUntil(event.addRoutes([...kept, to('/*', 'network')]).catch(() => {}));
});

addEventListener('activate', (event) => {
  const others = (names) => names.filter((name) => name.startsWith('estoile-') && name !== CACHE);
  event.waitUntil(caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name)))));
});

addEventListener('message', (event) => {
  if (event.data === 'take') skipWaiting();
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || !KNOWN.has(url.pathname)) return;
  // What is not kept (the browser threw it away) comes from the network.
  const kept = caches.open(CACHE).then((cache) => cache.match(url.pathname));
  event.respondWith(kept.then((answer) => answer ?? fetch(request)));
});

addEventListener('notificationclick', (event) => {
  event.notification.close();
  const shown = clients.matchAll({ type: 'window' });
  event.waitUntil(shown.then((pages) => (pages.length > 0 ? pages[0].focus() : clients.openWindow('/'))));
});
