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
		this.idle = new Map(); // by lane, in order of time
		this.gauge = new Map();
	}

	/** Take a message: all of a run, or new rows of some requests. Times become seconds from t0, all by
	 * one formula, so that the last span ends at the end of the run to the last bit. */
	apply(head) {
		this.info = head;
		const t0 = head.t0_us;
		if (head.touched) for (const n of head.touched) this.requests.delete(this.number(n));
		else for (const map of [this.requests, this.idle, this.gauge]) map.clear();
		for (let i = 0, at = 0; i < head.count; i++, at += ROW) {
			const v = head.rows, t = v.getFloat64(at, true), a = (t - t0) / 1e6, d = v.getFloat64(at + 8, true);
			const n = this.number(v.getUint32(at + 16, true)), kind = v.getUint8(at + 22);
			const span = { s: kind, a, b: d === d ? (t + d - t0) / 1e6 : Infinity, lane: v.getUint16(at + 20, true), f: v.getUint8(at + 23), n };
			if (kind === IDLE) { follow(this.idle, span); continue; }
			if (kind === GAUGE) { follow(this.gauge, { a, v: d / 1e6, lane: span.lane }); continue; }
			const r = this.request(n);
			if (kind === CLIENT) r.client = span; else r.spans.push(span);
		}
		for (const [n, told] of Object.entries(head.requests)) {
			const r = this.request(this.number(+n));
			[r.label, r.status, r.error, r.cpu] = told;
		}
		this.index();
	}

	/** The number of a request here: those of the probes lie behind all others. */
	number(n) {
		const first = this.info.probe_from ?? UNTRACKED;
		return first <= n && n < UNTRACKED ? PROBE + 1 + n - first : n;
	}

	request(n) {
		let r = this.requests.get(n);
		if (!r) this.requests.set(n, (r = { n, spans: [], client: null, label: "", status: null, error: null, cpu: null }));
		return r;
	}

	index() {
		this.end = (this.info.end_us - this.info.t0_us) / 1e6;
		this.list = [...this.requests.values()].filter((r) => r.client || r.spans.length).sort((p, q) => p.n - q.n);
		const lanes = this.info.lanes.filter((l) => l.kind !== "client" && l.kind !== "gauge");
		this.loops = lanes.filter((l) => l.kind === "loop");
		this.loop = this.loops.length > 0 || this.info.interface === "asgi";
		this.pool = this.loop ? lanes.filter((l) => l.kind !== "loop") : [];
		this.lanes = this.loop ? [...this.loops, ...this.pool] : lanes;
		lives(this);
		this.byLane = new Map(this.lanes.map((l) => [l.id, []]));
		const onLoop = new Set(this.loops.map((l) => l.id));
		this.waits = false;
		this.used = new Set();
		this.longest = { v: 0, bound: false };
		this.list.forEach((r, i) => { r.i = i; this.settle(r, onLoop); });
		for (const spans of this.byLane.values()) spans.sort((p, q) => p.a - q.a);
		for (const { id } of this.loops) for (const span of this.byLane.get(id)) this.longer(Math.min(span.b, this.end) - span.a, true);
		for (const lane of this.info.lanes) if (lane.name === LAG) for (const { v } of this.gauge.get(lane.id) || []) this.longer(v, false);
		const known = this.lanes.length, told = (this.info.workers || 0) * (this.info.threads || 1);
		this.waiters = this.loop ? 0 : told || known;
		this.trucks = this.loop ? Math.max(this.loops.length ? 0 : 1, this.info.workers || this.loops.length) : 0;
		this.own = this.list.filter((r) => r.n < UNTRACKED); // of this run; strangers count only where nothing else is
		if (!this.own.length) this.own = this.list;
		this.probes = this.list.filter((r) => r.n >= PROBE);
		this.total = Math.max(this.info.expected || 0, this.own.length);
		this.shown = this.total + this.list.length - this.own.length;
	}

	/** What follows from the spans of one request. */
	settle(r, onLoop) {
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
			if (lane && (span.s === RUNNING || !onLoop.has(span.lane))) lane.push(span); // what waits is not on the loop
		}
		r.start = r.client ? r.client.a : r.spans[0].a;
		r.done = r.client ? r.client.b : r.finish;
		r.failed = r.client ? !!(r.client.f & ERROR) : !r.status && !!r.error; // there was no complete answer
		r.wrong = !r.failed && (r.status >= 500 || !!r.error);
	}

	longer(v, bound) { if (v > this.longest.v) this.longest = { v, bound }; }

	/** What counters, scene and sentence need of the moment t. */
	moment(t) {
		const line = [], service = [], latencies = [], probed = { s: NaN, open: false, lost: 0 };
		let served = 0, failed = 0, wrong = 0, trouble = "";
		const count = { [QUEUED]: 0, [RUNNING]: 0, [WAITING]: 0, [READY]: 0, [SERVED]: 0 };
		for (const r of this.list) {
			if (r.start > t) continue;
			if (r.n >= PROBE) this.probed(r, t, probed);
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
			const span = spanAt(r.spans, t);
			if (!span) continue;
			if (r.n < PROBE) count[span.s]++;
			(span.s === QUEUED ? line : service).push({ r, span });
		}
		latencies.sort((p, q) => p - q);
		line.sort((p, q) => p.r.start - q.r.start);
		return { t, line, service, served, failed, wrong, trouble, count, probed, p95: percentile(latencies, 0.95), tables: this.tables(t, service), cooks: this.cooks(t, service) };
	}

	/** Count a probe: how long the slowest has taken, or has waited so far, and those without an answer. */
	probed(r, t, told) {
		if (r.done <= t && r.failed) { told.lost++; return; }
		const s = Math.min(r.done, t) - r.start;
		if (!(s <= told.s)) Object.assign(told, { s, open: r.done > t });
	}

	/** The waiters at time t: as many as work here, those busy or last seen at work first. */
	tables(t, service) {
		if (this.loop) return [];
		const busy = new Map(service.map((s) => [s.span.lane, s]));
		const result = this.atWork(this.lanes, this.waiters, t, (lane) => busy.has(lane.id)).map((lane) => {
			const b = busy.get(lane.id);
			return { lane, state: b ? b.span.s : 0, r: b && b.r, span: b && b.span };
		});
		while (result.length < this.waiters) result.push({ lane: null, state: 0 });
		return result;
	}

	/** Of `lanes` whose process lives at most `count`: the busy ones, then those last seen at work. */
	atWork(lanes, count, t, busy) {
		// whose process has ended, or has not come yet, is not there
		lanes = lanes.filter((lane) => this.processes.every((p) => p.pid !== lane.pid || (p.a <= t && t < p.b)));
		if (lanes.length <= count) return lanes;
		const last = new Map(lanes.map((lane) => [lane, (before(this.byLane.get(lane.id), t) || { a: -Infinity }).a]));
		const order = [...lanes].sort((p, q) => busy(q) - busy(p) || last.get(q) - last.get(p) || q.id - p.id);
		return order.slice(0, count).sort((p, q) => p.id - q.id);
	}

	/** The cooks at time t, one per event loop: what is in their hands, and what is around them. */
	cooks(t, service) {
		if (!this.loop) return [];
		const pid = new Map(this.lanes.map((l) => [l.id, l.pid])), inHouse = new Set(service.map((s) => pid.get(s.span.lane)));
		const result = this.atWork(this.loops, this.trucks, t, (lane) => inHouse.has(lane.pid)).map((lane) => {
			const mine = service.filter((s) => pid.get(s.span.lane) === lane.pid), onLoop = mine.filter((s) => s.span.lane === lane.id);
			const helpers = this.pool.filter((l) => l.pid === lane.pid).map((l) => ({ lane: l, span: spanAt(this.byLane.get(l.id), t) }));
			return {
				lane, helpers, step: spanAt(this.byLane.get(lane.id), t), idle: spanAt(this.idle.get(lane.id) || [], t),
				tickets: mine.sort((p, q) => p.r.begin - q.r.begin || p.r.i - q.r.i), ovens: onLoop.filter((s) => s.span.s === WAITING),
				pass: onLoop.filter((s) => s.span.s === READY).sort((p, q) => p.span.a - q.span.a),
				lag: this.lag(lane, t), poolQueue: this.reading(lane, "waiting for the pool", t),
			};
		});
		const nobody = { lane: null, helpers: [], tickets: [], ovens: [], pass: [] };
		while (result.length < this.trucks) result.push(nobody);
		return result;
	}

	/** Samples of a gauge of the process that a loop runs in. */
	samples(lane, name) {
		const gauge = this.info.lanes.find((l) => l.kind === "gauge" && l.pid === lane.pid && l.name === name);
		return gauge && this.gauge.get(gauge.id);
	}

	/** The last value of a gauge, or undefined. */
	reading(lane, name, t) {
		const sample = before(this.samples(lane, name) || [], t);
		return sample && Math.round(sample.v * 1e6); // a count was read as µs
	}

	/** How late the loop is, in seconds: by its gauge, or at least as long as the step of this moment has lasted. */
	lag(lane, t) {
		const sample = before(this.samples(lane, LAG) || [], t), step = spanAt(this.byLane.get(lane.id), t);
		const v = sample ? sample.v : 0, held = step ? t - step.a : 0;
		if (held > v) return { v: held, bound: true };
		return sample && { v, bound: false };
	}
}

/** Append to the list of a lane; a later word on the same moment replaces the earlier one. */
function follow(map, item) {
	let list = map.get(item.lane);
	if (!list) map.set(item.lane, (list = []));
	while (list.length && list[list.length - 1].a >= item.a) list.pop();
	list.push(item);
}

/** The last of some items in order of time that began at t or before. */
function before(items, t) {
	let lo = 0, hi = items.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (items[mid].a <= t) lo = mid + 1; else hi = mid;
	}
	return items[lo - 1];
}

/** The span at time t, or undefined. */
function spanAt(spans, t) {
	const found = before(spans, t);
	return found && t < found.b ? found : undefined;
}

/** Who waits, in words; probes are no parties. */
function waiting(line) {
	const probes = line.filter(({ r }) => r.n >= PROBE).length, parties = line.length - probes;
	const who = [parties && plural(parties, "party", "parties"), probes && plural(probes, "probe", "probes")];
	return `${who.filter(Boolean).join(" and ")} ${line.length === 1 ? "waits" : "wait"}`;
}

/** The slowest probe so far; "≥" while it has no answer. */
function probeWords({ s, open, lost }) {
	const most = s === s ? `${open ? "≥ " : ""}${seconds(s)}` : "–";
	return lost ? `${most}, ${lost} lost` : most;
}

/** The longest lag among the cooks. */
const worst = (cooks) => cooks.reduce((most, { lag }) => (lag && (!most || lag.v > most.v) ? lag : most), undefined);
const lagWords = (lag) => (lag ? `${lag.bound ? "≥ " : ""}${seconds(lag.v)}` : "–");

/** What is going on, in the words that a screen reader gets. */
function sentence(run, m) {
	const parts = [`${m.served} of ${run.total} served`];
	if (m.wrong) parts[0] += ` (${m.wrong} with an error)`;
	if (m.failed) parts[0] += `, ${m.failed} failed`;
	if (m.trouble) parts[0] += `: ${m.trouble}`;
	if (run.info.traced === false) return parts[0] + ". This server is not traced: only the clients' clocks are known.";
	parts.push(m.line.length ? `${waiting(m.line)} in line` : "nobody in line");
	const last = run.marks.filter((one) => one.t <= m.t).pop();
	if (last) parts.push(`${markWords(run, last)} at ${seconds(last.t)}`);
	if (run.probes.length) parts.push(`slowest probe ${probeWords(m.probed)}`);
	return [...parts, ...(run.loop ? cooksSay(m) : waitersSay(m))].join("; ") + ".";
}
