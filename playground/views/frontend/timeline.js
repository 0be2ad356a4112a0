// ---- the timeline

const NICE = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000];
const brief = (lane) => lane.name.replace("worker ", "w").replace(", thread ", "·t");

/** Rows of one run from top to bottom; depends on counts and width only. */
function arrange(run, width, compact) {
	const small = width < 560, rows = [], probes = run.probes.length, n = run.shown - probes, limit = compact ? 16 : 24, lanes = run.lanes.length;
	let y = run.signals.length ? 46 : 26;
	const add = (row) => { rows.push({ ...row, y }); y += row.pitch; };
	const many = (kind, from, to, most, pitch) => {
		const count = to - from, k = NICE.find((v) => count / v <= most) || Math.ceil(count / most);
		for (let i = from; i < to; i += k) add({ kind, i, to: Math.min(to, i + k), pitch, bar: pitch - 5 });
	};
	const loops = run.loops.length, groups = run.loop ? [["the loop", 0, loops], ["helpers (pool threads)", loops, lanes]] : [["workers", 0, lanes]];
	const each = (from, to, limit, most) => {
		if (to - from > limit * 2) { many("requests", from, to, most, compact ? 22 : 25); return; }
		const pitch = to - from > limit ? 15 : compact ? 21 : 26;
		for (let i = from; i < to; i++) add({ kind: "request", i, pitch, bar: pitch - (pitch > 15 ? 7 : 4) });
	};
	each(0, n, limit, compact ? 10 : 20);
	if (probes) {
		y += 4;
		add({ kind: "heading", text: run.probes[0].label || "probe", pitch: 20, bar: 0 });
		each(n, n + probes, 12, 5);
	}
	for (const [text, from, to] of groups.filter((group) => group[2] > group[1])) {
		y += 4;
		add({ kind: "heading", text, pitch: 20, bar: 0 });
		const pitch = to - from > 12 ? 19 : compact ? 26 : 34;
		if (to - from > 24) many("lanes", from, to, 12, 25);
		else for (let i = from; i < to; i++) {
			add({ kind: "lane", i, pitch, bar: pitch > 30 ? 25 : pitch - 5 });
			if (run.samples(run.lanes[i], LAG) && i < loops) add({ kind: "late", i, pitch: compact ? 24 : 32, bar: compact ? 18 : 24 });
		}
	}
	processRows(run, compact, add, () => { y += 4; });
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
		this.signals();
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
		if (row.kind === "process" && run.processes[row.i].a <= look.t) brush.text(plan.small ? String(run.processes[row.i].pid) : processName(run.processes[row.i]), x, y, { ...group, size: 12 });
		if (row.kind === "late") brush.text("lag", x, y, style);
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
		const now = spanAt(r.spans, t), bad = over && (r.failed || r.wrong);
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
		this.idle(this.run.idle.get(lane.id) || [], row, y);
		this.spans(spans, row);
		this.lost(lane, row);
		this.drawn.push({ lane: lane.id, row: row.i, y: y + row.bar / 2, texts: row.bar >= 20 ? this.occupied(lane, row, y) : [] });
	}

	/** Where the loop waits in its selector; the pieces between two ticks of a timer as one. */
	idle(pieces, row, y) {
		const { brush, look } = this;
		for (let i = firstAfter(pieces, look.v0); i < pieces.length && pieces[i].a < Math.min(look.t, look.v1);) {
			const a = this.x(pieces[i].a);
			let b;
			do b = this.x(Math.min(pieces[i++].b, look.t, look.edge)); while (i < pieces.length && pieces[i].a < look.t && this.x(pieces[i].a) < b + 1);
			if (b - a < 2) continue;
			brush.box(a + 0.5, y + 0.5, b - a - 1, row.bar - 1, 2, null, brush.c.faint, 1);
			if (b - a > 50) brush.text("idle", (a + b) / 2, y + row.bar / 2, { color: brush.c.muted, align: "center" });
		}
	}

	/** The lag of a loop. What was due at the left end of a ramp came at its right end; the ramp of the
	 * present step is what must be at least. */
	late(row) {
		const { brush, g, look, run } = this, { c } = brush, lane = run.lanes[row.i], floor = row.y + row.pitch - 5;
		const unit = row.bar / Math.max(run.longest.v, 0.02), ramps = [];
		const step = spanAt(run.byLane.get(lane.id), look.t), now = run.lag(lane, look.t);
		for (const { a, v } of run.samples(lane, LAG)) if (a <= look.t && v > 0) ramps.push([a - v, a, v]);
		if (step && now.bound) ramps.push([step.a, look.t, now.v]);
		brush.lines([[this.x0, floor, this.x(Math.min(look.t, look.edge)), floor]], c.muted, 1);
		for (const [a, b, v] of ramps) {
			const shape = [this.x(a), floor, this.x(b), floor - v * unit, this.x(b), floor];
			g.globalAlpha = 0.35;
			brush.lines([shape], null, 0, c.alarm);
			g.globalAlpha = 1;
			if (v * unit > 2) brush.lines([shape.slice(0, 4)], c.alarm, 1.4);
		}
		const text = look.over ? `longest ${lagWords(run.longest)}` : lagWords(now), x = this.x(look.t);
		this.drawn.push({ lag: lane.id, row: row.i, y: floor - row.bar / 2, text, ramps: ramps.length });
		const left = x + brush.measure(text, 12.5) + 14 > this.x1;
		this.endings.push(() => brush.text(text, left ? x - 7 : x + 8, floor - row.bar / 2, { color: c.muted, align: left ? "right" : "left", plate: c.paper + "d8" }));
	}

	/** "#1 occupied, 0.4 % CPU", "#4 holds the loop 500 ms" where there is room for it. */
	occupied(lane, row, y) {
		const { brush, look, run } = this, texts = [], known = new Set(), spans = run.byLane.get(lane.id), loop = lane.kind === "loop";
		for (let i = firstAfter(spans, look.v0); i < spans.length && spans[i].a < Math.min(look.t, look.v1); i++) {
			const r = run.requests.get(spans[i].n);
			if (known.has(r.n) && !loop) continue;
			known.add(r.n);
			const services = loop ? [spans[i]] : r.services.filter((s) => s.lane === lane.id && s.a <= look.t);
			for (const service of services) {
				const a = Math.max(this.x(service.a), this.x0), b = Math.min(this.x(Math.min(service.b, look.t)), this.x1), took = Math.min(service.b, look.t) - service.a;
				const cpu = service.b <= look.t && r.cpu != null && r.services.length === 1 ? share(r.cpu / 1e6, took) : "";
				const choices = loop ? this.step(r, service, took) : [`${tag(r.n)} occupied${cpu && ", " + cpu}`, cpu && `${tag(r.n)} ${cpu}`];
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

	/** What a step is called. Its processor time is at most that of all the steps of its request. */
	step(r, span, took) {
		if (took < HOLDS_S) return [`${tag(r.n)} step: ${seconds(took)}`];
		const holds = `${tag(r.n)} holds the loop`, known = span.b <= this.look.t && r.cpu != null && r.cpu / 1e6 < took;
		return [known && `${holds} ${seconds(took)}, ≤ ${share(r.cpu / 1e6, took)}`, `${holds} ${seconds(took)}`, holds];
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
