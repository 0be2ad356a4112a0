// The timeline and the restaurant: a picture of one trace at one moment.
//
// Python derives the states (playground.trace.states) and sends rows; this module only draws.
// Everything on screen is a function of (rows, t). `render` is what anywidget calls.
//
// A message is one JSON line and then rows of 24 bytes, little-endian:
//   t_us f64 | dur_us f64 (NaN = open) | request u32 | lane u16 | kind u8 | flags u8
// kind 1..5 is a state, 102 the client's own clock, 110 an idle loop.
//
// Tests read `el.__view.state()`.

const QUEUED = 1, RUNNING = 2, WAITING = 3, READY = 4, SERVED = 5, CLIENT = 102, IDLE = 110;
const LOWER_BOUND = 1, ERROR = 2, SAMPLED = 4;
const UNTRACKED = 0x80000000;
const ROW = 24;
const STATES = [QUEUED, RUNNING, WAITING, READY, SERVED];
const WORDS = {
	[QUEUED]: "queued", [RUNNING]: "running", [WAITING]: "waiting",
	[READY]: "ready, not running", [SERVED]: "in service, unknown which",
};
const WAITER = { // what a waiter does: one, many, and where there is little room
	[RUNNING]: ["is cooking (CPU)", "cook (CPU)", "cooks"], [WAITING]: ["stands and waits", "stand and wait", "waits"],
	[READY]: ["wants the CPU", "want the CPU", "wants CPU"], [SERVED]: ["is occupied", "are occupied", "occupied"],
	0: ["free", "free", "free"],
};
const THEMES = {
	light: {
		ink: "#1d1d24", muted: "#5f6673", faint: "#e2e4e9", panel: "#f5f6f8", paper: "#ffffff",
		alarm: "#b3261e", many: "#4a5264",
		colors: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f7ee7", "#8c8c2b"],
	},
	dark: {
		ink: "#ececf1", muted: "#a3a8b4", faint: "#363943", panel: "#1f2128", paper: "#15161a",
		alarm: "#ff8a80", many: "#aab2c5",
		colors: ["#3a97d9", "#e69f00", "#17b286", "#d98bb6", "#7cc7f2", "#e8752a", "#a396f0", "#a9a944"],
	},
};
const SPEEDS = [[1, "1×"], [0.5, "½×"], [0.1, "0.1×"], [0.01, "0.01×"]];
const MESSAGE_LIMIT_S = 0.25; // how far a live clock may run ahead of the last message
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

// ---- numbers in words

function seconds(s) {
	const a = Math.abs(s);
	if (a === 0) return "0 s";
	if (a >= 9.995) return s.toFixed(1) + " s";
	if (a >= 0.9995) return s.toFixed(2) + " s";
	const ms = s * 1000, m = a * 1000;
	if (m >= 99.5) return ms.toFixed(0) + " ms";
	if (m >= 0.9995) return String(Number(ms.toPrecision(m >= 9.95 ? 2 : 2))) + " ms";
	return Math.round(s * 1e6) + " µs";
}
const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;
const name = (n) => (n >= UNTRACKED ? `untracked ${n - UNTRACKED}` : `#${n}`);
const tag = (n) => (n >= UNTRACKED ? `?${n - UNTRACKED}` : `#${n}`);
const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));
const share = (cpu, dur) => {
	const p = dur > 0 ? Math.min(100, (cpu / dur) * 100) : 0;
	return (p >= 9.95 ? p.toFixed(0) : p.toFixed(1)) + " % CPU";
};

/** Nearest rank: the smallest value that a share `q` of them does not exceed. */
function percentile(sorted, q) {
	return sorted.length ? sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] : NaN;
}

// ---- the data

function unpack(view) {
	const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
	const cut = bytes.indexOf(10);
	const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, cut)));
	let at = view.byteOffset + cut + 1;
	for (const run of head.runs) {
		run.rows = new DataView(view.buffer, at, run.count * ROW);
		at += run.count * ROW;
	}
	return head;
}

class Run {
	constructor() {
		this.requests = new Map();
		this.version = 0;
	}

	/** Take a message: all of a run, or new rows of some requests. Times become seconds from t0. */
	apply(head) {
		this.info = head;
		const t0 = head.t0_us;
		if (head.touched) for (const n of head.touched) this.requests.delete(n);
		else this.requests = new Map();
		if (!head.touched) this.idle = [];
		for (let i = 0, at = 0; i < head.count; i++, at += ROW) {
			const v = head.rows, a = (v.getFloat64(at, true) - t0) / 1e6, d = v.getFloat64(at + 8, true) / 1e6;
			const n = v.getUint32(at + 16, true), kind = v.getUint8(at + 22);
			const span = { s: kind, a, b: d === d ? a + d : Infinity, lane: v.getUint16(at + 20, true), f: v.getUint8(at + 23), n };
			if (kind === IDLE) { this.idle.push(span); continue; }
			const r = this.request(n);
			if (kind === CLIENT) r.client = span; else r.spans.push(span);
		}
		for (const [n, told] of Object.entries(head.requests)) {
			const r = this.request(+n);
			[r.label, r.status, r.error, r.cpu] = told;
		}
		this.index();
	}

	request(n) {
		let r = this.requests.get(n);
		if (!r) this.requests.set(n, (r = { n, spans: [], client: null, label: "", status: null, error: null, cpu: null }));
		return r;
	}

	index() {
		this.version++;
		this.end = (this.info.end_us - this.info.t0_us) / 1e6;
		this.list = [...this.requests.values()].filter((r) => r.client || r.spans.length).sort((p, q) => p.n - q.n);
		this.lanes = this.info.lanes.filter((l) => l.kind !== "client" && l.kind !== "gauge");
		this.loop = this.lanes.some((l) => l.kind === "loop") || this.info.interface === "asgi";
		this.byLane = new Map(this.lanes.map((l) => [l.id, []]));
		this.waits = false;
		this.used = new Set();
		this.list.forEach((r, i) => {
			r.i = i;
			r.spans.sort((p, q) => p.a - q.a);
			r.begin = r.finish = Infinity;
			r.services = [];
			for (const span of r.spans) {
				this.used.add(span.s);
				if (span.s === QUEUED) continue;
				if (span.s === WAITING) this.waits = true;
				if (r.begin === Infinity) r.begin = span.a;
				r.finish = span.b;
				const last = r.services[r.services.length - 1];
				if (last && last.lane === span.lane && span.a - last.b < 1e-6) last.b = span.b;
				else r.services.push({ lane: span.lane, a: span.a, b: span.b, r });
				const lane = this.byLane.get(span.lane);
				if (lane && !(this.loop && span.s !== RUNNING)) lane.push(span);
			}
			r.start = r.client ? r.client.a : r.spans[0].a;
			r.done = r.client ? r.client.b : r.finish;
			r.failed = r.client ? !!(r.client.f & ERROR) : !r.status && !!r.error; // there was no complete answer
			r.wrong = !r.failed && (r.status >= 500 || !!r.error);
		});
		for (const spans of this.byLane.values()) spans.sort((p, q) => p.a - q.a);
		const known = this.lanes.length, told = (this.info.workers || 0) * (this.info.threads || 1);
		this.waiters = this.loop ? known : told || known;
		this.own = this.list.filter((r) => r.n < UNTRACKED); // of this run; strangers count only where nothing else is
		if (!this.own.length) this.own = this.list;
		this.total = Math.max(this.info.expected || 0, this.own.length);
		this.shown = this.total + this.list.length - this.own.length;
	}

	/** The span of a request at time t, or undefined. */
	at(r, t) {
		const spans = r.spans;
		let lo = 0, hi = spans.length - 1, found;
		while (lo <= hi) {
			const mid = (lo + hi) >> 1;
			if (spans[mid].a <= t) { found = spans[mid]; lo = mid + 1; } else hi = mid - 1;
		}
		return found && t < found.b ? found : undefined;
	}

	/** What counters, scene and sentence need of the moment t. */
	moment(t) {
		const line = [], service = [], latencies = [];
		let served = 0, failed = 0, wrong = 0, trouble = "";
		const count = { [QUEUED]: 0, [RUNNING]: 0, [WAITING]: 0, [READY]: 0, [SERVED]: 0 };
		for (const r of this.list) {
			if (r.start > t) continue;
			const over = r.done <= t && (r.n < UNTRACKED || this.own === this.list);
			if (over) {
				if (r.failed || r.wrong) trouble ||= r.error;
				if (r.failed) failed++;
				else {
					served++;
					if (r.wrong) wrong++;
					if (r.client) latencies.push(r.done - r.start);
				}
			}
			const span = this.at(r, t);
			if (!span) continue;
			count[span.s]++;
			(span.s === QUEUED ? line : service).push({ r, span });
		}
		latencies.sort((p, q) => p - q);
		line.sort((p, q) => p.r.start - q.r.start);
		return { t, line, service, served, failed, wrong, trouble, count, p95: percentile(latencies, 0.95), tables: this.tables(t, service) };
	}

	/** The waiters at time t: as many as work here, those busy or last seen at work first. */
	tables(t, service) {
		if (this.loop) return [];
		const busy = new Map(service.map((s) => [s.span.lane, s]));
		let lanes = this.lanes.map((lane) => {
			let last = -Infinity;
			const spans = this.byLane.get(lane.id);
			for (let i = spans.length - 1; i >= 0 && last === -Infinity; i--) if (spans[i].a <= t) last = spans[i].a;
			return { lane, last, busy: busy.get(lane.id) };
		});
		const known = lanes.length;
		if (known > this.waiters) {
			lanes.sort((p, q) => (q.busy ? 1 : 0) - (p.busy ? 1 : 0) || q.last - p.last || p.lane.id - q.lane.id);
			lanes = lanes.slice(0, this.waiters).sort((p, q) => p.lane.id - q.lane.id);
		}
		const result = lanes.map(({ lane, busy: b }) => ({ lane, state: b ? b.span.s : 0, r: b && b.r, span: b && b.span }));
		for (let i = result.length; i < this.waiters; i++) result.push({ lane: null, state: 0 });
		return result;
	}
}

function sentence(run, m) {
	const parts = [`${m.served} of ${run.total} served`];
	if (m.wrong) parts[0] += ` (${m.wrong} with an error)`;
	if (m.failed) parts[0] += `, ${m.failed} failed`;
	if (m.trouble) parts[0] += `: ${m.trouble}`;
	if (run.info.traced === false) return parts[0] + ". This server is not traced: only the clients' clocks are known.";
	parts.push(m.line.length ? plural(m.line.length, "party waits in line", "parties wait in line") : "nobody in line");
	if (run.loop) {
		const c = m.count, doing = [];
		if (c[RUNNING]) doing.push(`${c[RUNNING]} running`);
		if (c[WAITING]) doing.push(`${c[WAITING]} waiting at an await`);
		if (c[READY]) doing.push(`${c[READY]} ready, not running`);
		if (c[SERVED]) doing.push(`${c[SERVED]} in service`);
		return [parts.join("; "), doing.join(", ")].filter(Boolean).join("; ") + ".";
	}
	if (m.tables.length <= 3) {
		for (const [i, w] of m.tables.entries()) {
			const who = w.lane ? w.lane.name : `waiter ${i + 1}`;
			parts.push(`${who} ${w.state ? WAITER[w.state][0] : "is free"}${w.r ? ` (${name(w.r.n)})` : ""}`);
		}
	} else {
		const doing = [WAITING, RUNNING, READY, SERVED, 0].map((s) => [s, m.tables.filter((w) => w.state === s).length]).filter(([, n]) => n);
		const words = doing.map(([s, n]) => `${n === m.tables.length ? "all" : n} ${s ? WAITER[s][n === 1 ? 0 : 1] : n === 1 ? "is free" : "are free"}`);
		parts.push(`of ${m.tables.length} waiters ${words.join(", ")}`);
	}
	return parts.join("; ") + ".";
}

// ---- drawing: bars and textures

/** What one view draws with. */
class Brush {
	constructor(theme, dpr) {
		this.theme = theme;
		this.dpr = dpr;
		this.c = THEMES[theme];
		this.patterns = new Map();
	}

	/** Draw on this canvas from now on; it becomes empty. */
	on(canvas, width, height) {
		const w = Math.round(width * this.dpr), h = Math.round(height * this.dpr);
		if (canvas.width !== w) canvas.width = w;
		if (canvas.height !== h) canvas.height = h;
		canvas.style.height = height + "px";
		this.g = canvas.getContext("2d");
		this.g.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
		this.g.clearRect(0, 0, width, height);
		return this;
	}

	color(n) {
		return n >= UNTRACKED ? this.c.muted : this.c.colors[(n - 1) % 8];
	}

	texture(state, color) {
		const key = state + color;
		let pattern = this.patterns.get(key);
		if (pattern) return pattern;
		const size = state === QUEUED ? 6 : 8, tile = document.createElement("canvas");
		tile.width = tile.height = Math.round(size * this.dpr);
		const g = tile.getContext("2d"), q = tile.width / size, dark = this.theme === "dark";
		g.scale(q, q);
		g.fillStyle = g.strokeStyle = color;
		g.globalAlpha = state === SERVED ? 0.45 : dark ? 0.3 : state === QUEUED ? 0.12 : 0.24;
		g.fillRect(0, 0, size, size);
		g.globalAlpha = 1;
		g.lineWidth = state === READY ? 1.1 : 1.7;
		g.beginPath();
		if (state === QUEUED) g.arc(3, 3, 1.15, 0, 7);
		else if (state !== SERVED) for (const o of [-8, 0, 8]) { // stripes that meet at the tile's edges
			g.moveTo(o - 1, 9); g.lineTo(o + 9, -1);
			if (state === READY) { g.moveTo(o - 1, -1); g.lineTo(o + 9, 9); }
		}
		if (state === QUEUED) g.fill(); else g.stroke();
		pattern = this.g.createPattern(tile, "repeat");
		pattern.setTransform(new DOMMatrix().scale(1 / q));
		this.patterns.set(key, pattern);
		return pattern;
	}

	paint(state, color) {
		return state === RUNNING ? color : this.texture(state, color);
	}

	bar(x, y, w, h, state, color) {
		const fill = this.paint(state, color), radius = w < 12 ? 1 : 2.5;
		if (w < 4) { this.g.fillStyle = fill; this.g.fillRect(x, y, Math.max(w, 1), h); return; }
		this.box(x, y, w, h, radius, fill);
		if (state === RUNNING) return;
		const alpha = this.g.globalAlpha;
		if (state === QUEUED) this.g.globalAlpha = alpha * 0.55;
		this.box(x + 0.5, y + 0.5, w - 1, h - 1, radius, null, color, 1);
		this.g.globalAlpha = alpha;
	}

	finish(fill, stroke, width = 1.5) {
		if (fill) { this.g.fillStyle = fill; this.g.fill(); }
		if (stroke) { this.g.strokeStyle = stroke; this.g.lineWidth = width; this.g.stroke(); }
	}

	box(x, y, w, h, radius, fill, stroke, width) {
		this.g.beginPath();
		this.g.roundRect(x, y, w, h, radius);
		this.finish(fill, stroke, width);
	}

	round(x, y, rx, ry, fill, stroke, width) {
		this.g.beginPath();
		this.g.ellipse(x, y, rx, ry, 0, 0, 7);
		this.finish(fill, stroke, width);
	}

	/** Lines through points: [[x, y, x, y, ...], ...]. */
	lines(paths, stroke, width, fill) {
		this.g.beginPath();
		for (const p of paths) for (let i = 0; i < p.length; i += 2) if (i) this.g.lineTo(p[i], p[i + 1]); else this.g.moveTo(p[0], p[1]);
		this.finish(fill, stroke, width);
	}

	measure(text, size, bold) {
		this.g.font = `${bold ? "bold " : ""}${size}px ${FONT}`;
		return this.g.measureText(text).width;
	}

	/** Words whose middle line is y; cut to `max`, on a plate where something lies below. */
	text(text, x, y, { size = 12.5, bold = false, color = this.c.ink, align = "left", plate = "", max } = {}) {
		const g = this.g;
		let w = this.measure(text, size, bold);
		if (max && w > max) {
			while (text.length > 1 && g.measureText(text + "…").width > max) text = text.slice(0, -1);
			w = g.measureText((text += "…")).width;
		}
		g.textAlign = align;
		g.textBaseline = "middle";
		if (plate) this.box(align === "center" ? x - w / 2 - 4 : align === "right" ? x - w - 4 : x - 4, y - size * 0.72, w + 8, size * 1.44, 3, plate);
		g.fillStyle = color;
		g.fillText(text, x, y);
		return w;
	}

	chip(x, y, radius, n) {
		const color = this.color(n), label = tag(n), size = Math.min(radius * 0.8, (radius * 2.9) / label.length);
		this.round(x, y, radius, radius, color);
		const [r, g, b] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
		const ink = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.26 ? "#16161b" : "#fff";
		if (size >= 6) this.text(label, x, y + 0.5, { size, bold: true, color: ink, align: "center" });
	}
}

// ---- the restaurant

/** Where things stand; depends on the width and what is observed, not on the moment. */
function plan(run, width) {
	const n = run.waiters;
	if (width >= 720) {
		const wall = Math.round(width * 0.3), k = run.waits ? 200 : 0;
		const dining = { x: wall + 42, y: 40, w: width - wall - 42 - k - (k ? 30 : 16), h: 204 };
		return {
			height: 254, wide: true, wall, door: { x: 16, y: 40, w: wall - 16, h: 204 }, dining,
			grid: tableGrid(n, dining.w, dining.h), kitchen: k && { x: width - k - 16, y: 40, w: k, h: 198 },
		};
	}
	const w = width - 28, grid = tableGrid(n, w, w < 408 ? 260 : 300), door = { x: 14, y: 36, w, h: 96 };
	const dining = { x: 14, y: door.y + door.h + 34, w, h: grid.height };
	const kitchen = run.waits && { x: 14, y: dining.y + dining.h + 34, w, h: 44 }, last = kitchen || dining;
	return { height: last.y + last.h + 12, wide: false, wall: width - 18, door, dining, grid, kitchen };
}

const TABLES = [ // slot width, slot height, kind, scale: largest first
	[204, 146, "large", 1], [142, 122, "medium", 0.7], [104, 96, "small", 0.5], [40, 40, "dot", 0],
];

function tableGrid(n, width, height) {
	for (const [w, h, kind, k] of TABLES) {
		const columns = Math.min(n, Math.floor(width / w)), rows = Math.ceil(n / columns), used = rows * h + (k ? 0 : 44);
		if (columns && used <= height) return { kind, k, columns, rows, w: Math.min(width / columns, w * 1.25), h, height: used };
	}
	return { kind: "count", height: 84 };
}

class Scene {
	constructor(brush, run, moment, plan, width, highlight) {
		Object.assign(this, { brush, run, m: moment, p: plan, highlight, hits: [] });
		this.drawn = { line: [], hidden: 0, tables: [], kitchen: [] };
		brush.box(0, 0, width, plan.height, 8, brush.c.panel);
		this.door();
		this.dining();
		if (plan.kitchen) this.kitchen();
		this.dim(0);
	}

	dim(n) { this.brush.g.globalAlpha = n && this.highlight && this.highlight !== n ? 0.25 : 1; }

	heading(strong, weak, x, y, max) {
		const { brush } = this, color = brush.c.muted, w = brush.text(strong, x, y, { bold: true, color });
		const fits = [weak, weak.replace(/, .*/, ")")].find((text) => w + 6 + brush.measure(text, 12.5) <= max);
		if (fits) brush.text(fits, x + w + 6, y, { color });
	}

	door() {
		const { brush, run, m, p } = this, { c, g } = brush, z = p.door, x = p.wall, y = p.wide ? 128 : z.y + 26, radius = 17;
		this.heading("DOOR", "(accept queue, by the clients' clock)", z.x + 4, 20, z.w - 10);
		const top = p.wide ? 40 : z.y - 6, bottom = p.wide ? p.height - 16 : z.y + z.h - 12, gap = p.wide ? 32 : 24;
		g.lineCap = "round";
		brush.lines([[x, top, x, y - gap], [x, y + gap + 4, x, bottom]], c.muted, 3);
		g.beginPath();
		g.moveTo(x, y - gap);
		g.quadraticCurveTo(x - 3, y - gap * 0.2, x - 24, y - gap * 0.1);
		brush.finish(null, c.muted, 1.6);
		const step = p.wide ? 56 : 48, first = x - 42, n = m.line.length;
		const fits = Math.max(1, Math.floor((first - z.x - radius) / step) + 1), shown = n > fits ? Math.max(1, fits - 2) : n;
		for (let i = 0; i < shown; i++) {
			const { r } = m.line[i], cx = first - i * step;
			this.dim(r.n);
			brush.chip(cx, y, radius, r.n);
			brush.text(seconds(m.t - r.start), cx, y + 31, { size: 11.5, color: c.muted, align: "center" });
			this.hits.push({ x: cx, y, r: radius + 4, n: r.n });
			this.drawn.line.push(r.n);
		}
		this.dim(0);
		this.drawn.hidden = n - shown;
		if (n > shown) {
			const cx = first - shown * step - step / 2 + 8;
			brush.text(`+ ${n - shown}`, cx, y - 8, { size: 19, bold: true, align: "center" });
			brush.text("in line", cx, y + 11, { color: c.muted, align: "center" });
		}
		const words = n ? `${plural(n, "party waits", "parties wait")}; nobody has looked at ${n === 1 ? "it" : "them"} yet` : "nobody waits at the door";
		const parts = brush.measure(words, 13) > z.w - 18 ? words.replace("; ", ";\n").split("\n") : [words];
		parts.forEach((text, i) => brush.text(text, z.x + 4, (p.wide ? 204 : z.y + z.h - 14 * parts.length) + i * 17, { size: 13, color: c.muted, max: z.w - 14 }));
	}

	dining() {
		const { brush, m, p } = this, { c, g } = brush, z = p.dining, grid = p.grid, by = [0, 0, 0, 0, 0, 0], all = [WAITING, RUNNING, READY, SERVED, 0];
		this.heading("DINING ROOM", "(workers)", z.x, z.y - 20, z.w);
		for (const w of m.tables) {
			by[w.state]++;
			this.drawn.tables.push({ lane: w.lane ? w.lane.id : null, request: w.r ? w.r.n : null, says: WAITER[w.state][0] });
		}
		if (!grid.k) {
			let x = z.x;
			for (const s of all) {
				if (!by[s]) continue;
				x += brush.text(String(by[s]), x, z.y + 8, { size: 21, bold: true }) + 6;
				x += brush.text(WAITER[s][by[s] === 1 ? 0 : 1], x, z.y + 10, { size: 13 }) + 20;
			}
		}
		if (grid.kind === "count") {
			let x = z.x;
			for (const s of all) {
				const w = (z.w * by[s]) / m.tables.length;
				if (w && s) brush.bar(x, z.y + 36, w, 34, s, c.many);
				else if (w) brush.box(x + 0.5, z.y + 36.5, w - 1, 33, 2, null, c.muted, 1);
				x += w;
			}
			return;
		}
		const top = z.y + (grid.k ? (p.wide ? (z.h - grid.height) / 2 : 0) : 30);
		m.tables.forEach((w, i) => {
			const x = z.x + (i % grid.columns) * grid.w, y = top + Math.floor(i / grid.columns) * grid.h;
			this.dim(w.r ? w.r.n : -1);
			if (grid.k) this.table(w, i, x, y);
			else {
				if (w.r) brush.chip(x + 17, y + 17, 11, w.r.n); else g.setLineDash([3, 3]);
				if (w.r) this.hits.push({ x: x + 17, y: y + 17, r: 17, n: w.r.n });
				brush.round(x + 17, y + 17, 14.5, 14.5, null, w.r ? brush.paint(w.state, brush.color(w.r.n)) : c.muted, w.r ? 5 : 1.4);
				g.setLineDash([]);
			}
		});
		this.dim(0);
	}

	table(w, i, x, y) {
		const { brush } = this, { c, g } = brush, slot = this.p.grid, { k } = slot, small = slot.kind === "small";
		const rx = 58 * k, ry = 35 * k, cx = x + slot.w / 2 - 18 * k, cy = y + ry + 8, color = w.r ? brush.color(w.r.n) : c.muted;
		brush.round(cx, cy, rx, ry, c.paper);
		if (w.r) {
			const alpha = g.globalAlpha;
			g.globalAlpha = alpha * (w.state === RUNNING ? 0.45 : 0.6);
			brush.round(cx, cy, rx, ry, brush.paint(w.state, color));
			g.globalAlpha = alpha;
			brush.round(cx, cy, rx, ry, null, color, 3);
			brush.round(cx, cy, 20 * k + 1.5, 20 * k + 1.5, c.paper);
			brush.chip(cx, cy, Math.max(18 * k, 11), w.r.n);
			this.hits.push({ x: cx, y: cy, r: rx, n: w.r.n });
		} else {
			g.setLineDash([5, 5]);
			brush.round(cx, cy, rx, ry, null, color, 1.6);
			g.setLineDash([]);
		}
		this.waiter(cx + rx + 25 * k, cy + 2, k, w.state, color);
		const who = w.lane ? w.lane.name : `waiter ${i + 1}`, full = w.lane ? `${who} · pid ${w.lane.pid}` : `${who} · not seen yet`;
		const middle = x + slot.w / 2, below = cy + ry, title = brush.measure(full, 12.5) <= slot.w - 8 ? full : who;
		brush.text(title, middle, below + (small ? 13 : 19), { size: small ? 11.5 : 12.5, color: c.muted, align: "center", max: slot.w - 6 });
		brush.text(WAITER[w.state][small ? 2 : 0], middle, below + (small ? 29 : 38), { size: k === 1 ? 14 : 13, bold: true, color: w.state ? c.ink : c.muted, align: "center", max: slot.w - 4 });
	}

	waiter(x, y, k, state, color) {
		const { brush } = this, { c, g } = brush, ink = state ? c.ink : c.muted;
		g.save();
		g.translate(x, y);
		g.scale(k, k);
		g.lineCap = "round";
		brush.round(0, -20, 8, 8, ink);
		brush.lines([[-7, -10, 7, -10, 11, 12, -11, 12]], null, 0, ink);
		brush.lines([[-4, -10, 4, -10, 0, -4]], null, 0, c.panel); // the shirt
		if (state === RUNNING) { // cooks: a hat, and a pan in use
			brush.lines([[6, -4, 15, 0, 24, -2]], ink, 3);
			brush.box(-7, -34, 14, 9, 4, ink);
			brush.round(29, -2, 9, 3.4, ink);
			brush.round(29, -8, 5, 5, color);
		} else if (state) { // stands with the tray
			brush.lines([[6, -3, 14, -8, 22, -11]], ink, 3);
			brush.round(24, -13, 9, 2.6, ink);
		} else brush.lines([[9, -7, 14, 6], [-9, -7, -14, 6]], ink, 3); // arms at rest
		g.restore();
	}

	kitchen() {
		const { brush, m, p } = this, { c } = brush, z = p.kitchen, waiting = m.service.filter((s) => s.span.s === WAITING);
		this.heading("KITCHEN", "(app waits for)", z.x, z.y - 20, z.w);
		brush.box(z.x, z.y, z.w, z.h, 8, c.paper, c.faint);
		if (!waiting.length) brush.text("nothing is awaited", z.x + z.w / 2, z.y + z.h / 2, { size: 13, color: c.muted, align: "center" });
		const h = p.wide ? 40 : 30, across = p.wide ? 1 : Math.max(1, Math.floor(z.w / 130)), w = (z.w - 16) / across;
		const fits = Math.floor((z.h - 8) / (h + 6)) * across, shown = waiting.length > fits ? fits - 1 : waiting.length;
		for (let i = 0; i <= shown && i < waiting.length; i++) {
			const x = z.x + 8 + (i % across) * w, y = z.y + 8 + Math.floor(i / across) * (h + 6), { r, span } = waiting[i];
			const style = { size: 13, bold: true, align: "center", max: w - 12 };
			if (i === shown) { this.dim(0); brush.text(`+ ${waiting.length - shown} more wait`, x + w / 2, y + h / 2, style); break; }
			this.dim(r.n);
			brush.bar(x + 2, y, w - 4, h, WAITING, brush.color(r.n));
			brush.text(`${tag(r.n)} waits ${seconds(m.t - span.a)}`, x + w / 2, y + h / 2, { ...style, plate: c.paper + "d0" });
			this.hits.push({ x: x + w / 2, y: y + h / 2, r: h / 2 + 12, n: r.n });
			this.drawn.kitchen.push(r.n);
		}
	}
}

// ---- the timeline

const NICE = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000];
const brief = (lane) => lane.name.replace("worker ", "w").replace(", thread ", "·t");

/** Rows of one run from top to bottom; depends on counts and width only. */
function arrange(run, width, compact) {
	const small = width < 560, rows = [], n = run.shown, limit = compact ? 16 : 24, lanes = run.lanes.length;
	let y = 26;
	const add = (row) => { rows.push({ ...row, y }); y += row.pitch; };
	const many = (kind, count, most, pitch) => {
		const k = NICE.find((v) => count / v <= most) || Math.ceil(count / most);
		for (let i = 0; i < count; i += k) add({ kind, i, to: Math.min(count, i + k), pitch, bar: pitch - 5 });
	};
	if (n > limit * 2) many("requests", n, compact ? 10 : 20, compact ? 22 : 25);
	else {
		const pitch = n > limit ? 15 : compact ? 21 : 26;
		for (let i = 0; i < n; i++) add({ kind: "request", i, pitch, bar: pitch - (pitch > 15 ? 7 : 4) });
	}
	if (lanes) {
		y += 4;
		add({ kind: "heading", text: run.loop ? "the loop" : "workers", pitch: 20, bar: 0 });
		const pitch = lanes > 12 ? 19 : compact ? 26 : 34;
		if (lanes > 24) many("lanes", lanes, 12, 25);
		else for (let i = 0; i < lanes; i++) add({ kind: "lane", i, pitch, bar: pitch > 30 ? 25 : pitch - 5 });
	}
	return { rows, height: y + 10, gutter: small ? 74 : 126, right: small ? 10 : 14, small };
}

function ticks(v0, v1, room) {
	const raw = (v1 - v0) / Math.max(2, room), mag = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 2.5, 5, 10].find((s) => s * mag >= raw * 0.999) * mag, result = [];
	const [unit, factor] = step >= 0.05 ? ["s", 1] : step >= 5e-5 ? ["ms", 1e3] : ["µs", 1e6];
	for (let i = Math.ceil(v0 / step - 1e-9); i * step <= v1 + step * 1e-6; i++) result.push([i * step, `${Number((i * step * factor).toPrecision(6))} ${i ? unit : "s"}`]);
	return result;
}

class Painter {
	constructor(brush, run, plan, width, look) {
		Object.assign(this, { brush, g: brush.g, run, plan, look, bars: 0, drawn: [], endings: [] });
		this.x0 = plan.gutter;
		this.x1 = width - plan.right;
		this.scale = (this.x1 - this.x0) / (look.v1 - look.v0);
		this.draw();
	}

	x(t) { return this.x0 + (t - this.look.v0) * this.scale; }

	dim(n, weak = 0.25) { this.g.globalAlpha = this.look.highlight && this.look.highlight !== n ? weak : 1; }

	draw() {
		const { g, brush, plan, look } = this;
		this.axis();
		g.save();
		g.beginPath();
		g.rect(this.x0 - 1, 0, this.x1 - this.x0 + 2, plan.height);
		g.clip();
		for (const row of plan.rows) this[row.kind](row);
		const x = this.x(look.t);
		g.globalAlpha = look.over ? 0.4 : 1;
		g.setLineDash([3, 3]);
		brush.lines([[x, 18, x, plan.height - 4]], brush.c.ink, 1.6);
		g.restore();
		for (const write of this.endings) write();
		for (const row of plan.rows) this.label(row);
		g.globalAlpha = 1;
	}

	axis() {
		const { brush, plan, look } = this, { c } = brush;
		let edge = -Infinity;
		for (const [t, label] of ticks(look.v0, look.v1, (this.x1 - this.x0) / (plan.small ? 70 : 110))) {
			const x = Math.round(this.x(t)) + 0.5, half = brush.measure(label, 12) / 2;
			brush.lines([[x, 20, x, plan.height - 4]], c.faint, 1);
			const at = clamp(x, this.x0 + (t <= 0 ? 0 : half), this.x1 - half);
			if (at - half < edge + 6) continue;
			brush.text(label, at, 10, { size: 12, color: c.muted, align: "center" });
			edge = at + half;
		}
		if (!plan.small) brush.text("requests", 2, 10, { bold: true, color: c.muted });
	}

	label(row) {
		const { brush, plan, run, look } = this, { c } = brush, y = row.y + row.pitch / 2 - 1, x = plan.gutter - 8;
		const style = { size: row.pitch < 18 ? 11 : 13, bold: true, align: "right", max: x - 2 }, group = { ...style, size: plan.small ? 11 : 12.5 };
		this.g.globalAlpha = 1;
		if (row.kind === "heading") brush.text(row.text, 2, row.y + 9, { bold: true, color: c.muted });
		if (row.kind === "request") {
			const r = run.list[row.i], n = r ? r.n : row.i + 1;
			this.dim(n, 0.3);
			brush.text(plan.small ? tag(n) : name(n), x, y, { ...style, color: r && r.start <= look.t ? brush.color(n) : c.muted });
		}
		if (row.kind === "requests") {
			const [a, b] = [row.i, row.to - 1].map((i) => tag(run.list[i] ? run.list[i].n : i + 1));
			brush.text(`${a}–${b}`, x, y, { ...group, color: c.muted });
		}
		if (row.kind === "lane") {
			const lane = run.lanes[row.i];
			brush.text(plan.small ? brief(lane) : lane.name.replace(", thread ", " · t"), x, y, style);
		}
		if (row.kind === "lanes") brush.text(`${brief(run.lanes[row.i])}–${brief(run.lanes[row.to - 1])}`, x, y, group);
	}

	/** Spans of one row: what is known at t in full, what comes later as a shadow. */
	spans(spans, row) {
		const { g, brush, look } = this, t = look.t, y = row.y + (row.pitch - row.bar) / 2 - 1;
		let painted = -Infinity;
		for (let i = firstAfter(spans, look.v0); i < spans.length; i++) {
			const span = spans[i];
			if (span.a > look.v1) break;
			const xa = Math.max(this.x(span.a), this.x0 - 4), full = Math.min(this.x(Math.min(span.b, look.edge)), this.x1 + 4);
			if (full < painted + 0.5) continue; // thinner than a pixel, and that pixel is painted
			const hue = brush.color(span.n);
			this.dim(span.n, 0.18);
			if (span.a < t) {
				const xb = Math.min(full, this.x(t));
				brush.bar(xa, y, Math.max(xb - xa, 1), row.bar, span.s, hue);
				this.bars++;
				painted = Math.max(xb, xa + 1);
			}
			const xs = Math.max(xa, this.x(t));
			if (span.b > t && full > xs) {
				g.globalAlpha *= 0.13;
				g.fillStyle = hue;
				g.fillRect(xs, y + row.bar * 0.3, full - xs, row.bar * 0.4);
				painted = full;
			}
		}
		g.globalAlpha = 1;
	}

	request(row) {
		const r = this.run.list[row.i], { brush, look } = this, { c } = brush, t = look.t, y = row.y + row.pitch / 2 - 1;
		if (!r) return;
		const over = r.done <= t, end = this.x(Math.min(r.done, t));
		if (r.client && r.start < t) { // the client's own watch: where no state is known, and its two ends
			const a = this.x(r.start), last = r.spans[r.spans.length - 1];
			this.dim(r.n);
			brush.lines([[last ? this.x(Math.min(last.b, r.done, t)) : a, y, end, y], [a, y - 4, a, y + 4], over ? [end, y - 4, end, y + 4] : []], brush.color(r.n), 1.2);
		}
		this.spans(r.spans, row);
		const now = this.run.at(r, t), bad = over && (r.failed || r.wrong);
		let text = over ? seconds(r.done - r.start) : "";
		if (bad) text = `✕ ${text} · ${r.failed ? "no answer" : r.status || "error"}`;
		if (now && now.f & LOWER_BOUND) text = `≥ ${seconds(t - now.a)} ${now.s === READY ? "late" : ""}`;
		this.drawn.push({ request: r.n, row: row.i, y, text, states: r.spans.filter((s) => s.a < t).map((s) => s.s) });
		if (!text || row.bar < 10 || end < this.x0) return;
		const style = { size: row.bar < 14 ? 11 : 12.5, bold: bad, plate: c.paper + "d8" };
		this.endings.push(() => {
			this.dim(r.n);
			if (end + brush.measure(text, 13, bad) + 12 > this.x1) brush.text(text, Math.min(end - 7, this.x1 - 6), y, { ...style, align: "right", color: bad ? c.alarm : c.ink });
			else brush.text(text, end + 8, y, { ...style, color: bad ? c.alarm : c.muted });
		});
	}

	lane(row) {
		const lane = this.run.lanes[row.i], { brush, look } = this, spans = this.run.byLane.get(lane.id), y = row.y + (row.pitch - row.bar) / 2 - 1;
		for (const s of this.run.idle) {
			if (s.lane !== lane.id || s.a > look.t) continue;
			const a = this.x(s.a), b = this.x(Math.min(s.b, look.t, look.edge));
			brush.box(a + 0.5, y + 0.5, Math.max(0, b - a - 1), row.bar - 1, 2, null, brush.c.faint, 1);
			if (b - a > 50) brush.text("idle", (a + b) / 2, y + row.bar / 2, { color: brush.c.muted, align: "center" });
		}
		this.spans(spans, row);
		this.drawn.push({ lane: lane.id, row: row.i, y: y + row.bar / 2, texts: row.bar >= 20 ? this.occupied(lane, row, y) : [] });
	}

	/** "#1 occupied, 0.4 % CPU" where there is room for it. */
	occupied(lane, row, y) {
		const { brush, look, run } = this, texts = [], known = new Set(), spans = run.byLane.get(lane.id);
		for (let i = firstAfter(spans, look.v0); i < spans.length && spans[i].a < Math.min(look.t, look.v1); i++) {
			const r = run.requests.get(spans[i].n);
			if (known.has(r.n) && !run.loop) continue;
			known.add(r.n);
			const services = run.loop ? [spans[i]] : r.services.filter((s) => s.lane === lane.id && s.a <= look.t);
			for (const service of services) {
				const a = Math.max(this.x(service.a), this.x0), b = Math.min(this.x(Math.min(service.b, look.t)), this.x1), took = Math.min(service.b, look.t) - service.a;
				const cpu = service.b <= look.t && r.cpu != null && r.services.length === 1 ? share(r.cpu / 1e6, took) : "";
				const choices = run.loop ? [`${tag(r.n)} step: ${seconds(took)}`] : [`${tag(r.n)} occupied${cpu && ", " + cpu}`, cpu && `${tag(r.n)} ${cpu}`];
				const text = [...choices, tag(r.n)].find((s) => s && brush.measure(s, 12.5) + 9 < b - a);
				if (!text) continue;
				this.dim(r.n);
				brush.text(text, (a + b) / 2, y + row.bar / 2 + 0.5, { align: "center", plate: brush.c.paper + "d8" });
				texts.push(text);
			}
		}
		this.g.globalAlpha = 1;
		return texts;
	}

	/** Many rows as one: at each pixel the share in each state, in textures of one colour. */
	density(row, list, what) {
		const { g, brush, look } = this, n = Math.ceil(this.x1 - this.x0), y = row.y + (row.pitch - row.bar) / 2 - 1;
		const sums = STATES.map(() => new Float32Array(n + 2)), until = Math.min(look.t, look.edge), unit = row.bar / (row.to - row.i);
		for (const spans of list) {
			for (let i = firstAfter(spans, look.v0); i < spans.length && spans[i].a < until && spans[i].a <= look.v1; i++) {
				const span = spans[i], sum = sums[span.s - 1];
				const a = clamp((span.a - look.v0) * this.scale, 0, n), b = clamp((Math.min(span.b, until) - look.v0) * this.scale, 0, n);
				const ia = Math.floor(a), ib = Math.floor(b); // exact coverage of each pixel, as differences
				this.bars++;
				if (ia === ib) { sum[ia] += b - a; sum[ia + 1] -= b - a; continue; }
				sum[ia] += ia + 1 - a; sum[ia + 1] += a - ia; sum[ib] += b - ib - 1; sum[ib + 1] -= b - ib;
			}
		}
		brush.box(this.x0 + 0.5, y + 0.5, this.x1 - this.x0 - 1, row.bar - 1, 2, null, brush.c.faint, 1);
		let base = new Float32Array(n);
		for (const s of [RUNNING, SERVED, WAITING, READY, QUEUED]) {
			const tops = new Float32Array(n), sum = sums[s - 1];
			let level = 0, from = -1;
			g.beginPath();
			for (let px = 0; px <= n; px++) {
				level += sum[px];
				const on = px < n && level > 1e-3;
				if (px < n) tops[px] = base[px] + (on ? level * unit : 0);
				if (on && from < 0) from = px;
				if (!on && from >= 0) { this.outline(y + row.bar, from, px, base, tops); from = -1; }
			}
			brush.finish(brush.paint(s, brush.c.many));
			base = tops;
		}
		this.drawn.push({ ...what, row: row.i, y: y + row.bar / 2 });
	}

	outline(floor, from, to, base, tops) {
		const { g, x0 } = this;
		g.moveTo(x0 + from, floor - base[from]);
		for (let px = from; px < to; px++) { g.lineTo(x0 + px, floor - tops[px]); g.lineTo(x0 + px + 1, floor - tops[px]); }
		for (let px = to - 1; px >= from; px--) { g.lineTo(x0 + px + 1, floor - base[px]); g.lineTo(x0 + px, floor - base[px]); }
		g.closePath();
	}

	requests(row) {
		const list = this.run.list.slice(row.i, row.to).map((r) => r.spans), r = this.run.requests.get(this.look.highlight);
		this.density(row, list, { requests: [row.i, row.to] });
		if (r && r.i >= row.i && r.i < row.to) this.spans(r.spans, { ...row, bar: row.bar - 4 });
	}

	lanes(row) {
		const list = this.run.lanes.slice(row.i, row.to).map((l) => this.run.byLane.get(l.id));
		this.density(row, list, { lanes: [row.i, row.to] });
		if (this.look.highlight) for (const spans of list) this.spans(spans.filter((s) => s.n === this.look.highlight), { ...row, bar: row.bar - 4 });
	}

	heading() {}
}

/** The first span that may reach beyond v0; spans of a row do not overlap. */
function firstAfter(spans, v0) {
	let lo = 0, hi = spans.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (spans[mid].b < v0) lo = mid + 1; else hi = mid;
	}
	return lo;
}

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
		const clock = performance.now() / 1000, end = Math.max(...this.runs.map((r) => r.end));
		this.told = { end, at: clock };
		const zero = head.runs[0].t0_us;
		this.lead = Math.max(this.zero === zero ? this.lead : -Infinity, end - clock);
		this.zero = zero;
		this.scene = this.single && !this.runs[0].loop && this.runs[0].info.traced !== false;
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
		this.top.replaceChildren();
		this.body.replaceChildren();
		this.sections = this.runs.map((run, i) => {
			const single = this.runs.length === 1;
			const box = node(single ? this.top : this.body, "section", single ? "" : "pgv-run");
			const head = node(box, "div", "pgv-head"), left = node(head, "div", "pgv-name");
			const section = { run, title: node(left, "span", "pgv-title"), badges: node(left, "span"), command: node(left, "code", "pgv-command") };
			section.counters = node(head, "div", "pgv-counters");
			if (single) section.scene = this.canvas(box, "the restaurant", (e) => this.hitScene(section, e));
			section.timeline = this.canvas(single ? this.body : box, "timeline", (e) => this.hitTimeline(section, e));
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
			if (section.scene) section.scene.hidden = !this.scene;
			if (this.scene) {
				const places = plan(run, width);
				section.drawn = new Scene(this.brush.on(section.scene, width, places.height), run, m, places, width, this.highlight);
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
		if (info.traced !== false) figures.push(["in line", m.line.length]);
		if (run.loop) figures.push(["at an await", m.count[WAITING]]);
		else if (run.waiters && info.traced !== false) figures.push(["waiters", `${m.tables.filter((w) => w.r).length} of ${run.waiters} busy`]);
		figures.push([this.t >= this.edge() && !this.live ? "p95" : "p95 so far", m.p95 === m.p95 ? seconds(m.p95) : "–"]);
		const key = JSON.stringify([info.title, info.command, badges, figures]);
		if (section.key === key) return;
		Object.assign(section, { key, figures });
		section.title.textContent = info.title;
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
		if (row.kind === "requests" && t >= 0) return { section, group: row, t: Math.min(t, p.look.t) };
		return null;
	}

	hover(hit, event) {
		const n = hit && hit.n ? hit.n : 0;
		if (n !== this.highlight) { this.highlight = n; this.changed(); }
		if (!hit) { this.tip.hidden = true; return; }
		if (hit.n) this.describe(hit.section, n, event); else this.describeGroup(hit, event);
	}

	describeGroup({ section, group, t }, event) {
		const run = section.run, by = {}, list = run.list.slice(group.i, group.to);
		let over = 0, later = 0;
		for (const r of list) {
			const span = run.at(r, t);
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
		const title = `${name(n)} ${r.label || ""}` + (over && r.status ? ` → ${r.status}` : "");
		if (over && (r.failed || r.wrong)) lines.push(`✕ ${r.error || (r.status ? `answered ${r.status}` : "no answer")}`);
		const sums = {}, flags = {};
		let open = 0;
		for (const s of r.spans) {
			if (s.a >= t) break;
			sums[s.s] = (sums[s.s] || 0) + Math.min(s.b, t) - s.a;
			flags[s.s] = (flags[s.s] || 0) | s.f;
			if (s.b > t) open = s.s;
		}
		for (const s of STATES) {
			if (sums[s] === undefined) continue;
			lines.push(`${flags[s] & LOWER_BOUND ? "≥ " : ""}${seconds(sums[s])} ${WORDS[s]}${s === open ? " so far" : ""}${flags[s] & SAMPLED ? " · sampled" : ""}`);
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
			tip: this.tip.hidden ? "" : this.tip.textContent, keys: !this.keys.hidden,
			runs: this.sections.map((s) => ({
				title: s.run.info.title, total: s.run.total, badges: [...s.badges.children].map((b) => b.textContent),
				counters: Object.fromEntries(s.figures || []),
				scene: this.scene && s.drawn ? s.drawn.drawn : null,
				rows: s.painter ? s.painter.drawn : [], bars: s.painter ? s.painter.bars : 0,
				plot: s.painter ? { x0: s.painter.x0, x1: s.painter.x1 } : null,
				height: s.painter ? s.painter.plan.height : 0,
			})),
		};
	}
}

// ---- the widget

/** While a view lives, the static pictures of the same run in the same output are hidden. */
class Twins {
	constructor(el, key) {
		Object.assign(this, { el, key, hidden: new Map() });
		this.look();
	}

	/** Called again once attached: a restored view is drawn before. */
	look() {
		if (this.area || !this.key) return;
		this.area = this.el.closest(".jp-OutputArea, .output, .output_wrapper, .cell_container, .cell-output, [data-playground-area]");
		if (!this.area) return;
		this.hide();
		this.watch = new MutationObserver(() => this.hide());
		this.watch.observe(this.area, { childList: true, subtree: true });
	}

	hide() {
		for (const twin of this.area.querySelectorAll(`[data-playground-static="${this.key}"]`)) {
			let box = twin;
			while (box.parentElement && box.parentElement !== this.area) box = box.parentElement;
			if (box.contains(this.el) || this.hidden.has(box)) continue;
			this.hidden.set(box, box.style.display);
			box.style.display = "none";
		}
	}

	dispose() {
		if (this.watch) this.watch.disconnect();
		for (const [box, display] of this.hidden) box.style.display = display;
	}
}

function render({ model, el }) {
	const view = new View(el);
	let wait;
	el.__view = { state: () => view.report(), view };
	const take = (head) => {
		view.el.hidden = view.controls.hidden = false;
		if (!view.twins) view.twins = new Twins(el, model.get("key"));
		view.load(head);
	};
	const hello = () => {
		try { model.send({ type: "hello", seq: view.seq }); } catch { /* no kernel: what is stored is shown */ }
	};
	const final = () => {
		const stored = model.get("final");
		if (stored && stored.byteLength) take(unpack(stored));
	};
	const message = (content, buffers) => {
		if (content.type !== "frame" || (model.get("final") || {}).byteLength) return;
		const head = unpack(buffers[0]);
		if (head.seq <= view.seq) return;
		if (head.base && head.base !== view.seq) hello(); // something was missed: ask for all of it
		else take(head);
	};
	model.on("change:final", final);
	model.on("msg:custom", message);
	final();
	hello();
	if (!view.twins) {
		view.el.hidden = true;
		wait = setTimeout(() => {
			if (view.twins) return;
			view.el.hidden = false;
			view.controls.hidden = true;
			view.say.textContent = "No news from the kernel of this picture: run the cell again to see it move.";
		}, 5000);
	}
	return () => {
		clearTimeout(wait);
		model.off("change:final", final);
		model.off("msg:custom", message);
		if (view.twins) view.twins.dispose();
		view.dispose();
		delete el.__view;
	};
}

export default { render };
