// ---- the view

function node(parent, tagName, cls, text) {
	const el = document.createElement(tagName);
	if (cls) el.className = cls;
	if (text) el.textContent = text;
	parent.append(el);
	return el;
}

const KEYS = [
	["Space", "play or pause"], ["← →", "a step back, a step on"], ["↑ ↓", "the request before, the next"],
	["W S", "zoom in, out"], ["A D", "earlier, later"], ["F", "follow or freeze"], ["Home", "everything, from the start"],
	["End", "to now"], ["Esc", "close, forget the highlight"], ["?", "these keys"],
];

class View {
	constructor(root) {
		Object.assign(this, { root, runs: [], sections: [], mode: "follow", speed: 1, t: 0, window: [0, 1], zoomed: false });
		Object.assign(this, { highlight: 0, live: false, seq: 0, visible: true, draws: 0, drawMs: 0 });
		this.stop = new AbortController();
		this.motion = matchMedia("(prefers-reduced-motion: reduce)");
		this.scheme = matchMedia("(prefers-color-scheme: dark)");
		this.build();
		this.watch();
		this.retheme();
	}

	build() {
		const root = this.root;
		this.el = node(root, "div", "pgv");
		// else JupyterLab takes A, D, S ...
		this.el.setAttribute("data-lm-suppress-shortcuts", "true");
		this.top = node(this.el, "div");
		this.controls = node(this.el, "div", "pgv-controls");
		this.say = node(this.el, "p", "pgv-say");
		this.say.setAttribute("aria-hidden", "true"); // the same words follow, at a pace that can be read aloud
		this.aloud = node(this.el, "p", "pgv-aloud");
		this.aloud.setAttribute("aria-live", "polite");
		this.body = node(this.el, "div");
		this.foot = node(this.el, "div", "pgv-foot");
		this.tip = node(this.el, "div", "pgv-tip");
		this.tip.hidden = true;
		this.tip.setAttribute("role", "tooltip");
		this.keys = node(this.el, "div", "pgv-keys");
		this.keys.hidden = true;
		const table = node(this.keys, "table");
		for (const [key, what] of KEYS) {
			const tr = node(table, "tr");
			node(tr, "td", "", key);
			node(tr, "td", "", what);
		}
		this.buildControls();
	}

	buildControls() {
		const on = (el, type, fn) => el.addEventListener(type, fn, { signal: this.stop.signal });
		const button = (parent, text, label, fn) => {
			const b = node(parent, "button", "", text);
			b.type = "button";
			b.title = label;
			b.setAttribute("aria-label", label);
			on(b, "click", fn);
			return b;
		};
		this.playButton = button(this.controls, "▶", "play", () => this.toggle());
		this.playButton.className = "pgv-play";
		const speeds = node(this.controls, "div", "pgv-group");
		this.speedButtons = SPEEDS.map(([value, text]) => button(speeds, text, `speed ${text}`, () => {
			this.speed = value;
			if (this.live && value < 1 && this.mode === "follow") this.mode = "play";
			this.changed();
		}));
		this.scrub = node(this.controls, "input");
		Object.assign(this.scrub, { type: "range", min: 0, max: 1000, value: 0, step: "any" });
		this.scrub.setAttribute("aria-label", "time");
		on(this.scrub, "input", () => { this.mode = "freeze"; this.t = (+this.scrub.value / 1000) * this.edge(); this.changed(); });
		this.time = node(this.controls, "span", "pgv-time");
		const modes = node(this.controls, "div", "pgv-group");
		this.followButton = button(modes, "follow", "follow: the picture is now", () => { this.mode = "follow"; this.changed(); });
		this.freezeButton = button(modes, "freeze", "freeze: hold this moment", () => { this.mode = "freeze"; this.changed(); });
		this.acts = node(this.controls, "div", "pgv-group pgv-acts");
		this.helpButton = button(this.controls, "?", "keys", () => this.help());
	}

	watch() {
		const signal = this.stop.signal;
		this.resizes = new ResizeObserver(() => this.resize());
		this.resizes.observe(this.root);
		this.sights = new IntersectionObserver((entries) => {
			this.visible = entries[entries.length - 1].isIntersecting;
			if (this.visible) this.changed();
		});
		this.sights.observe(this.el);
		this.themes = new MutationObserver(() => this.retheme());
		for (const el of [document.body, document.documentElement]) {
			this.themes.observe(el, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "class", "data-vscode-theme-kind"] });
		}
		this.scheme.addEventListener("change", () => this.retheme(), { signal });
		document.addEventListener("visibilitychange", () => this.changed(), { signal });
		this.el.addEventListener("keydown", (event) => this.key(event), { signal });
	}

	dispose() {
		this.gone = true;
		this.stop.abort();
		this.resizes.disconnect();
		this.sights.disconnect();
		this.themes.disconnect();
		cancelAnimationFrame(this.raf);
		clearTimeout(this.later);
		this.root.replaceChildren();
	}

	// ---- data

	load(head) {
		if (this.runs.length !== head.runs.length) {
			this.runs = head.runs.map(() => new Run());
			this.arrangeSections();
		}
		head.runs.forEach((run, i) => this.runs[i].apply(run));
		this.seq = head.seq;
		this.live = head.live;
		this.single = this.runs.length === 1;
		this.offer(head.runs[0].actions);
		const clock = performance.now() / 1000, end = Math.max(...this.runs.map((r) => r.end));
		this.told = { end, at: clock };
		const zero = head.runs[0].t0_us;
		this.lead = Math.max(this.zero === zero ? this.lead : -Infinity, end - clock);
		this.zero = zero;
		this.changed();
	}

	/** The last moment of which anything is known. A live clock runs on between messages. */
	edge() {
		if (!this.told || this.told.end <= 0) return 0; // nothing was sent yet
		if (!this.live) return this.told.end;
		return Math.min(this.lead + performance.now() / 1000, this.told.end + MESSAGE_LIMIT_S);
	}

	stale() {
		return this.live && performance.now() / 1000 - this.told.at > 3;
	}

	arrangeSections() {
		this.top.className = this.runs.length === 2 ? "pgv-pair" : "";
		this.top.replaceChildren();
		this.body.replaceChildren();
		this.sections = this.runs.map((run, i) => {
			const few = this.runs.length <= 2, box = node(few ? this.top : this.body, "section", few ? "" : "pgv-run");
			const head = node(box, "div", "pgv-head"), left = node(head, "div", "pgv-name");
			const section = { run, title: node(left, "span", "pgv-title"), badges: node(left, "span"), command: node(left, "code", "pgv-command") };
			section.counters = node(head, "div", "pgv-counters");
			if (few) section.scene = this.canvas(box, "scene", (e) => this.hitScene(section, e));
			if (this.runs.length === 2) section.again = node(this.body, "div", "pgv-again");
			section.timeline = this.canvas(few ? this.body : box, "timeline", (e) => this.hitTimeline(section, e));
			section.timeline.tabIndex = 0;
			this.grips(section.timeline, section, i);
			return section;
		});
	}

	canvas(parent, label, hit) {
		const canvas = node(parent, "canvas");
		canvas.setAttribute("role", "img");
		canvas.setAttribute("aria-label", label);
		const options = { signal: this.stop.signal };
		canvas.addEventListener("pointermove", (event) => { if (!this.drag) this.hover(hit(event), event); }, options);
		canvas.addEventListener("pointerleave", () => this.hover(null), options);
		return canvas;
	}

	// ---- time and drawing

	changed() {
		this.dirty = true;
		if (!this.raf && !this.gone && this.visible && !document.hidden) this.raf = requestAnimationFrame((now) => this.frame(now));
	}

	frame(now) {
		this.raf = 0;
		const dt = Math.min(0.1, (now - (this.last ?? now)) / 1000);
		this.last = now;
		if (!this.runs.length || this.gone) return;
		const edge = this.edge();
		if (this.mode === "play") {
			this.t += dt * this.speed;
			if (this.t >= edge) this.mode = "follow";
		}
		if (this.mode === "follow") this.t = edge;
		const easing = this.ease(dt);
		const wide = this.root.clientWidth;
		if (wide) this.draw(wide, edge);
		this.dirty = false;
		const moving = this.mode === "play" || (this.live && this.mode === "follow" && !this.stale());
		if (!moving && !easing) this.last = undefined;
		if (moving || easing) {
			if (this.motion.matches) this.later = setTimeout(() => this.changed(), 250);
			else this.changed();
		} else if (this.live) this.later = setTimeout(() => this.changed(), 1000);
	}

	/** The window of time that is shown; glides to where it should be. */
	ease(dt) {
		if (this.zoomed) {
			const [a, b] = this.window, w = b - a;
			if (this.mode !== "freeze" && (this.t > b - w * 0.08 || this.t < a)) this.window = [this.t - w * 0.85, this.t + w * 0.15];
			return false;
		}
		const edge = this.edge();
		let to = edge * 1.06 || 1;
		if (this.live) {
			const least = Math.max(edge * 1.25, 0.05), mag = 10 ** Math.floor(Math.log10(least));
			to = [1, 1.5, 2, 3, 4, 6, 8, 10].find((s) => s * mag >= least) * mag;
		}
		const from = this.window[1];
		if (this.motion.matches || !this.draws || Math.abs(from - to) < to * 0.003 || !this.live) { this.window = [0, to]; return false; }
		this.window = [0, from + (to - from) * Math.min(1, dt * 9)];
		return true;
	}

	draw(wide, edge) {
		const begun = performance.now(), dpr = Math.min(2, devicePixelRatio || 1);
		const style = getComputedStyle(this.el), width = Math.floor(this.el.clientWidth - parseFloat(style.paddingLeft) * 2);
		if (!this.brush || this.brush.theme !== this.theme || this.brush.dpr !== dpr) this.brush = new Brush(this.theme, dpr);
		this.el.dataset.size = wide < 560 ? "s" : wide < 860 ? "m" : "l";
		const over = !this.live && this.t >= edge;
		const look = { v0: this.window[0], v1: this.window[1], t: this.t, edge, over, highlight: this.highlight };
		this.moments = this.runs.map((run) => run.moment(Math.min(this.t, this.live ? Infinity : run.end)));
		this.sections.forEach((section, i) => {
			const run = this.runs[i], m = this.moments[i], rows = arrange(run, width, !this.single);
			section.drawn = null;
			if (section.scene) section.scene.hidden = run.info.traced === false;
			if (section.scene && run.info.traced !== false) {
				const Kind = run.loop ? Truck : Restaurant, room = this.single || wide < 860 ? width : Math.floor((width - 16) / 2), places = Kind.plan(run, room);
				section.scene.setAttribute("aria-label", run.loop ? "the food truck" : "the restaurant");
				section.drawn = new Kind(this.brush.on(section.scene, room, places.height), run, m, places, room, this.highlight);
			}
			section.painter = new Painter(this.brush.on(section.timeline, width, rows.height), run, rows, width, this.live ? look : { ...look, edge: run.end });
			this.head(section, run, m);
		});
		this.words(edge);
		this.draws++;
		this.drawMs = performance.now() - begun;
	}

	head(section, run, m) {
		const info = run.info, badges = [], figures = [["served", `${m.served} of ${run.total}`]];
		if (this.live) badges.push(this.stale() ? ["stale", "no news from the kernel"] : ["live", "● live"]);
		if (info.simulated) badges.push(["sim", "simulated"]);
		if (info.dropped) badges.push(["lost", `${plural(info.dropped, "record", "records")} dropped`]);
		if (m.wrong) figures.push(["errors", m.wrong, "bad"]);
		if (m.failed) figures.push(["failed", m.failed, "bad"]);
		if (info.traced !== false) figures.push(["in line", m.line.filter(({ r }) => r.n < PROBE).length]);
		const over = this.t >= this.edge() && !this.live;
		if (run.loop) figures.push(["at an await", m.count[WAITING]]);
		if (run.loop && info.traced !== false) figures.push(over ? ["longest lag", lagWords(run.longest)] : ["loop lag", lagWords(worst(m.cooks))]);
		if (!run.loop && run.waiters && info.traced !== false) figures.push(["waiters", `${m.tables.filter((w) => w.r).length} of ${run.waiters} busy`]);
		figures.push([over ? "p95" : "p95 so far", m.p95 === m.p95 ? seconds(m.p95) : "–"]);
		if (run.probes.length) figures.push(["slowest probe", probeWords(m.probed), m.probed.lost ? "bad" : ""]);
		const key = JSON.stringify([info.title, info.command, badges, figures]);
		if (section.key === key) return;
		Object.assign(section, { key, figures });
		section.title.textContent = info.title;
		if (section.again) section.again.textContent = info.title;
		section.command.textContent = info.command || "";
		section.badges.replaceChildren();
		section.counters.replaceChildren();
		for (const [cls, text] of badges) node(section.badges, "span", "pgv-badge " + cls, text);
		for (const [label, value, cls] of figures) {
			const div = node(section.counters, "div");
			node(div, "b", cls, String(value));
			node(div, "span", "", label);
		}
	}

	words(edge) {
		const now = performance.now(), text = this.runs.map((run, i) => (this.single ? "" : `${run.info.title}: `) + sentence(run, this.moments[i])).join(" ");
		const moving = this.mode !== "freeze" && (this.live || this.mode === "play");
		this.say.textContent = text;
		if (this.aloud.textContent !== text && (!moving || now - (this.said ?? -1e9) > 1000)) {
			this.aloud.textContent = text;
			this.said = now;
			for (const s of this.sections) s.timeline.setAttribute("aria-label", `timeline of ${s.run.info.title}. ${text} Press ? for keys.`);
		}
		this.scrub.value = edge ? (this.t / edge) * 1000 : 0;
		this.scrub.setAttribute("aria-valuetext", seconds(this.t));
		this.time.textContent = seconds(this.t);
		const paused = this.mode === "freeze" || (this.mode === "follow" && !this.live);
		this.playButton.textContent = paused ? "▶" : "❚❚";
		this.playButton.setAttribute("aria-label", paused ? "play" : "pause");
		this.followButton.setAttribute("aria-pressed", String(this.mode === "follow"));
		this.freezeButton.setAttribute("aria-pressed", String(this.mode === "freeze"));
		this.speedButtons.forEach((b, i) => b.setAttribute("aria-pressed", String(SPEEDS[i][0] === this.speed)));
		this.legend();
	}

	legend() {
		const states = STATES.filter((s) => this.runs.some((r) => r.used.has(s)));
		const key = states + this.theme + this.brush.dpr + this.el.dataset.size;
		if (this.legendKey === key) return;
		this.legendKey = key;
		this.foot.replaceChildren();
		for (const s of states) {
			const item = node(this.foot, "span"), swatch = node(item, "canvas");
			this.brush.on(swatch, 24, 13).bar(0, 0, 24, 13, s, this.brush.c.colors[0]);
			item.append(WORDS[s]);
		}
		node(this.foot, "span", "pgv-hint", this.el.dataset.size === "s" ? "tap: one request everywhere · ? keys" : "hover: one request everywhere · click, then wheel zooms · drag pans · ? keys");
	}

	resize() {
		if (this.twins) this.twins.look();
		this.changed();
	}

	retheme() {
		const body = document.body, told = body.getAttribute("data-jp-theme-light") ?? document.documentElement.getAttribute("data-jp-theme-light");
		const kind = body.getAttribute("data-vscode-theme-kind") || document.documentElement.getAttribute("data-theme") || "";
		let dark = this.scheme.matches;
		if (told) dark = told === "false";
		else if (kind) dark = /dark|high-contrast$/.test(kind);
		else if (document.querySelector(".jp-Notebook, #notebook-container")) dark = false;
		this.theme = dark ? "dark" : "light";
		const c = THEMES[this.theme], s = this.el.style;
		for (const key of ["ink", "muted", "faint", "alarm"]) s.setProperty("--" + key, c[key]);
		s.setProperty("--paper", c.paper);
		s.colorScheme = this.theme;
		this.changed();
	}

	// ---- hands

	toggle() {
		if (this.mode === "play" || (this.mode === "follow" && this.live)) this.mode = "freeze";
		else {
			if (this.t >= this.edge() - 1e-9) this.t = 0;
			this.mode = "play";
		}
		this.changed();
	}

	help(open = this.keys.hidden) {
		this.keys.hidden = !open;
	}

	zoom(factor, at) {
		const [a, b] = this.window, w = clamp((b - a) * factor, 2e-5, Math.max(this.edge() * 4, 1)), k = (at - a) / (b - a);
		this.zoomed = true;
		this.window = [at - k * w, at + (1 - k) * w];
		this.changed();
	}

	/** Move what is shown; `from` is where the hand took hold. The picture is held still. */
	pan(by, from = this.window) {
		const w = from[1] - from[0], to = clamp(from[0] + by, -w * 0.5, this.edge() - w * 0.1);
		this.zoomed = true;
		this.window = [to, to + w];
		this.mode = "freeze";
		this.changed();
	}

	key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const [a, b] = this.window, w = b - a, inInput = event.target === this.scrub;
		const step = (by) => { this.mode = "freeze"; this.t = clamp(this.t + by * w, 0, this.edge()); this.changed(); };
		const keys = {
			w: () => this.zoom(1 / 1.4, clamp(this.t, a, b)), s: () => this.zoom(1.4, clamp(this.t, a, b)),
			a: () => this.pan(-w * 0.12), d: () => this.pan(w * 0.12),
			f: () => { this.mode = this.mode === "follow" ? "freeze" : "follow"; this.changed(); },
			ArrowLeft: () => step(-0.01), ArrowRight: () => step(0.01),
			ArrowUp: () => this.select(-1), ArrowDown: () => this.select(1),
			Home: () => this.reset(), End: () => { this.mode = "follow"; this.changed(); },
			Escape: () => { this.help(false); this.hover(null); },
			"?": () => this.help(), " ": () => this.toggle(),
		};
		const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
		if (!keys[name] || (name === " " && event.target.tagName === "BUTTON")) return;
		if (inInput && /^(Arrow|End)/.test(name)) return;
		event.preventDefault();
		event.stopPropagation();
		keys[name]();
	}

	reset() {
		this.zoomed = false;
		this.window = [0, this.edge() * 1.06 || 1];
		this.mode = "follow";
		this.changed();
	}

	select(by) {
		const numbers = this.runs[0].list.map((r) => r.n);
		if (!numbers.length) return;
		const i = numbers.indexOf(this.highlight);
		const n = numbers[i < 0 ? (by > 0 ? 0 : numbers.length - 1) : clamp(i + by, 0, numbers.length - 1)];
		this.highlight = n;
		this.describe(this.sections[0], n, null);
		this.changed();
	}

	grips(canvas, section) {
		const on = (type, fn, more = {}) => canvas.addEventListener(type, fn, { signal: this.stop.signal, ...more });
		const time = (event) => section.painter.look.v0 + (event.offsetX - section.painter.x0) / section.painter.scale;
		on("wheel", (event) => {
			if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls until the picture is chosen
			event.preventDefault();
			if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / section.painter.scale);
			else this.zoom(Math.exp(clamp(event.deltaY, -120, 120) * 0.002), time(event));
		}, { passive: false });
		on("pointerdown", (event) => {
			if (event.button) return;
			canvas.focus({ preventScroll: true });
			canvas.setPointerCapture(event.pointerId);
			this.drag = { x: event.clientX, window: this.window, moved: false };
			if (event.pointerType !== "mouse") this.hover(this.hitTimeline(section, event), event);
		});
		on("pointermove", (event) => {
			if (!this.drag) return;
			const dx = event.clientX - this.drag.x;
			if (!this.drag.moved && Math.abs(dx) < 4) return;
			this.drag.moved = true;
			this.pan(-dx / section.painter.scale, this.drag.window);
			this.hover(null);
		});
		const drop = () => { this.drag = null; };
		on("pointerup", drop);
		on("pointercancel", drop);
		on("dblclick", () => this.reset());
	}

	hitScene(section, event) {
		const { offsetX: x, offsetY: y } = event;
		const hit = section.drawn && section.drawn.hits.find((h) => Math.hypot(h.x - x, h.y - y) <= h.r);
		return hit ? { section, n: hit.n } : null;
	}

	hitTimeline(section, event) {
		const p = section.painter, y = event.offsetY, row = p && p.plan.rows.find((r) => y >= r.y && y < r.y + r.pitch);
		if (!row || event.offsetX < 0) return null;
		const t = p.look.v0 + (event.offsetX - p.x0) / p.scale, run = section.run, seen = t <= p.look.t;
		if (row.kind === "request") { const r = run.list[row.i]; return r ? { section, n: r.n, t } : null; }
		if (row.kind === "lane") {
			const slack = 2 / p.scale;
			const span = run.byLane.get(run.lanes[row.i].id).find((s) => t >= s.a - slack && t < s.b + slack);
			return span && seen ? { section, n: span.n, t } : null;
		}
		if (row.kind === "process" && run.processes[row.i].a <= t && seen) return { section, process: run.processes[row.i], t };
		if (row.kind === "requests" && t >= 0) return { section, group: row, t: Math.min(t, p.look.t) };
		return null;
	}

	hover(hit, event) {
		const n = hit && hit.n ? hit.n : 0;
		if (n !== this.highlight) { this.highlight = n; this.changed(); }
		if (!hit) { this.tip.hidden = true; return; }
		if (hit.n) this.describe(hit.section, n, event); else if (hit.process) this.describeProcess(hit, event); else this.describeGroup(hit, event);
	}

	describeGroup({ section, group, t }, event) {
		const run = section.run, by = {}, list = run.list.slice(group.i, group.to);
		let over = 0, later = 0;
		for (const r of list) {
			const span = spanAt(r.spans, t);
			if (span) by[span.s] = (by[span.s] || 0) + 1; else if (r.done <= t) over++; else if (r.start > t) later++;
		}
		const lines = STATES.filter((s) => by[s]).map((s) => `${by[s]} ${WORDS[s]}`);
		if (over) lines.push(`${over} answered`);
		if (later) lines.push(`${later} not sent yet`);
		this.show(`${list.length ? `${tag(list[0].n)} – ${tag(list[list.length - 1].n)}` : ""} at ${seconds(t)}`, lines, event);
	}

	describe(section, n, event) {
		const run = section.run, r = run.requests.get(n), t = this.t;
		if (!r) { this.tip.hidden = true; return; }
		const over = r.done <= t, lines = [];
		const title = `${name(n)} ${(r.label || "").replace(/^probe /, "")}` + (over && r.status ? ` → ${r.status}` : "");
		if (over && (r.failed || r.wrong)) lines.push(`✕ ${r.error || (r.status ? `answered ${r.status}` : "no answer")}`);
		const sums = {}, flags = {}, waits = new Set();
		let open = 0;
		for (const s of r.spans) {
			if (s.a >= t) break;
			sums[s.s] = (sums[s.s] || 0) + Math.min(s.b, t) - s.a;
			flags[s.s] = (flags[s.s] || 0) | s.f;
			if (s.s === WAITING && s.f >> NAME_SHIFT) waits.add((run.info.awaits || [])[s.f >> NAME_SHIFT]);
			if (s.b > t) open = s.s;
		}
		for (const s of STATES) {
			if (sums[s] === undefined) continue;
			lines.push(`${flags[s] & LOWER_BOUND ? "≥ " : ""}${seconds(sums[s])} ${WORDS[s]}${s === open ? " so far" : ""}${flags[s] & SAMPLED ? " · sampled" : ""}${s === WAITING && waits.size ? ` · in ${[...waits].join(", ")}` : ""}`);
		}
		if (r.client && r.start <= t) lines.push(`${seconds(Math.min(r.done, t) - r.start)} in all${over ? "" : " so far"}, by the client's clock`);
		if (over && r.cpu != null) lines.push(`${seconds(r.cpu / 1e6)} of processor time`);
		const lane = run.lanes.find((l) => r.services.some((s) => s.lane === l.id && s.a <= t));
		if (lane) lines.push(`${lane.name} · pid ${lane.pid}`);
		if (r.start > t) lines.push("not sent yet");
		this.show(title, lines, event);
	}

	show(title, lines, event) {
		this.tip.replaceChildren();
		node(this.tip, "b", "", title);
		this.tip.append("\n" + lines.join("\n"));
		this.tip.hidden = false;
		const box = this.el.getBoundingClientRect(), w = this.tip.offsetWidth, h = this.tip.offsetHeight;
		let x = box.width - w - 14, y = 60;
		if (event) {
			x = event.clientX - box.left + 16;
			y = event.clientY - box.top + 16;
			if (x + w > box.width - 4) x = Math.max(4, x - w - 32);
			if (y + h > box.height - 4) y = Math.max(4, y - h - 32);
		}
		this.tip.style.left = x + "px";
		this.tip.style.top = y + "px";
	}

	/** What is drawn, for tests. Times in seconds from the first intended send. */
	report() {
		return {
			t: this.t, edge: this.edge(), mode: this.mode, speed: this.speed, live: this.live, seq: this.seq, theme: this.theme,
			window: [...this.window], zoomed: this.zoomed, highlight: this.highlight, visible: this.visible,
			draws: this.draws, drawMs: this.drawMs, size: this.el.dataset.size, sentence: this.say.textContent, aloud: this.aloud.textContent,
			actions: [...this.acts.querySelectorAll("button")].map((b) => b.textContent), tip: this.tip.hidden ? "" : this.tip.textContent, keys: !this.keys.hidden,
			runs: this.sections.map((s) => ({
				title: s.run.info.title, total: s.run.total, badges: [...s.badges.children].map((b) => b.textContent),
				counters: Object.fromEntries(s.figures || []),
				scene: s.drawn ? s.drawn.drawn : null,
				marks: s.painter ? s.painter.marked : [], rows: s.painter ? s.painter.drawn : [], bars: s.painter ? s.painter.bars : 0,
				plot: s.painter ? { x0: s.painter.x0, x1: s.painter.x1 } : null,
				height: s.painter ? s.painter.plan.height : 0,
			})),
		};
	}
}

