// ---- the processes of the server, and the signals that were sent

const SAMPLE_S = 0.1; // a sample tells of so much time before it
const MOST_PROCESSES = 12; // rows; of more, the first and the last
const PROCESS_STATES = ["starting", "running", "sleeping", "disk-sleep", "stopped", "other"];

/** What a run is told of processes and signals, in seconds from its start. */
function lives(run) {
	const at = (us) => (us == null ? Infinity : (us - run.info.t0_us) / 1e6);
	const lane = new Map(run.lanes.map((l) => [l.pid, l.name.split(",")[0]]).reverse());
	run.processes = (run.info.processes || []).map((p) => ({ ...p, a: at(p.began_us), b: at(p.ended_us), lane: lane.get(p.pid) }));
	run.marks = (run.info.marks || []).map((m) => ({ ...m, t: at(m.t_us) }));
	run.signals = run.marks.filter((m) => m.what === "signal");
}

const kills = (m) => m.name.startsWith("kill");
const whoIs = (run, pid) => { const p = run.processes.find((q) => q.pid === pid); return p ? processName(p) : `process ${pid}`; };
const processName = (p) => `${p.lane || p.role} · ${p.pid}`;
const markWords = (run, m) => (m.what === "signal" ? `${m.name} to ${whoIs(run, m.pid)}` : `${whoIs(run, m.pid)} ${m.what}`);

/** Rows for the processes; a run that is compared shows them if something happened to them. */
function processRows(run, compact, add, gap) {
	const n = run.processes.length, few = [...run.processes.keys()].filter((i) => !i || i > n - MOST_PROCESSES);
	if (!n || (compact && !run.marks.length)) return;
	gap();
	add({ kind: "heading", text: `processes${few.length < n ? ` (${few.length} of ${n})` : ""}: height = share of one core`, pitch: 20, bar: 0 });
	for (const i of few) add({ kind: "process", i, pitch: compact ? 21 : 25, bar: compact ? 14 : 18 });
}

/** What a process is at the moment t, in words. */
function processSays(run, p, t) {
	const said = (name, digits, unit) => {
		const s = before(run.samples(p, name) || [], t), v = s && s.v * 1e6; // a number was read as µs
		return s ? `${v.toFixed(v < 9.95 && v ? digits : 0)} ${unit}` : "";
	};
	const state = before(run.samples(p, "state") || [], t), restarts = before(run.samples(p, "restarts") || [], t);
	const again = restarts ? Math.round(restarts.v * 1e6) : 0;
	return { cpu: said("CPU %", 1, "% CPU"), pss: said("PSS MiB", 1, "MiB"), state: state ? PROCESS_STATES[Math.round(state.v * 1e6)] : "", again: again ? plural(again, "restart", "restarts") : "" };
}

function endWords(run, p) {
	const kill = run.signals.find((m) => m.pid === p.pid && kills(m));
	return `ended${kill ? `: ${kill.name}` : ""}`;
}

Object.assign(Painter.prototype, {
	process(row) {
		const { brush, g, look, run } = this, { c } = brush, p = run.processes[row.i], t = look.t, y = row.y + (row.pitch - row.bar) / 2 - 1;
		if (!p || p.a > t) return;
		const over = p.b <= t, end = Math.min(p.b, t, look.edge), xa = this.x(p.a), xb = Math.max(this.x(end), xa + 2), floor = y + row.bar;
		brush.box(xa, y + 0.5, xb - xa, row.bar - 1, 2, c.panel, c.muted, 1);
		const path = [xa, floor];
		for (const { a, v } of run.samples(p, "CPU %") || []) if (a <= end) {
			const x = Math.max(this.x(a - SAMPLE_S), path[path.length - 2]);
			path.push(x, path[path.length - 1], x, floor - Math.min(v * 1e4, 1) * (row.bar - 1)); // a number was read as µs
		}
		g.globalAlpha = 0.6;
		brush.lines([[...path, xb, path[path.length - 1], xb, floor]], null, 0, c.many);
		g.globalAlpha = 1;
		if (p.a > 0) brush.lines([[xa, y - 2, xa, floor + 2]], c.ink, 2.4); // it came during the run
		const color = run.signals.some((m) => m.pid === p.pid && kills(m)) ? c.alarm : c.ink;
		if (over) this.cross(xb, y + row.bar / 2, color);
		const { cpu, pss, state, again } = processSays(run, p, t), notable = /^(starting|stopped|disk)/.test(state) && state;
		const text = over ? endWords(run, p) : [notable, cpu, pss, again].filter(Boolean).join(" · ");
		this.drawn.push({ process: p.pid, role: p.role, row: row.i, y: y + row.bar / 2, text, over });
		const left = xb + brush.measure(text, 12.5) + 16 > this.x1, style = { color: over ? color : c.muted, bold: over, plate: c.paper + "d8" };
		this.endings.push(() => brush.text(text, left ? Math.min(xb, this.x1) - 8 : xb + 9, y + row.bar / 2, { ...style, align: left ? "right" : "left" }));
	},

	cross(x, y, color, r = 5) {
		this.brush.lines([[x - r, y - r, x + r, y + r], [x - r, y + r, x + r, y - r]], color, 2.6);
	},

	/** The end of the process that a lane belongs to. */
	lost(lane, row) {
		const p = this.run.processes.find((q) => q.pid === lane.pid);
		if (p && p.b <= this.look.t) this.cross(this.x(p.b), row.y + row.pitch / 2 - 1, this.brush.c.ink);
	},

	/** A line through everything at each signal, with its name above. */
	signals() {
		const { brush, look, plan, run } = this, { c } = brush;
		let edge = -Infinity;
		this.marked = run.marks.filter((m) => m.t <= look.t).map((m) => markWords(run, m));
		for (const m of run.signals) {
			const x = Math.round(this.x(m.t)) + 0.5, color = kills(m) ? c.alarm : c.ink, w = brush.measure(m.name, 12.5, true);
			if (m.t > look.t || x < this.x0 || x > this.x1) continue;
			brush.lines([[x, 38, x, plan.height - 4]], color, 1.6);
			if (x - 4 < edge) continue;
			const at = Math.min(x - 4, this.x1 - w - 6);
			this.endings.push(() => brush.text(m.name, at + 4, 31, { bold: true, color, plate: c.paper }));
			edge = at + w + 10;
		}
	},
});

Object.assign(View.prototype, {
	/** Buttons for signals, while a server is there to get them. */
	offer(names) {
		const told = this.live ? names || [] : [], key = told.join();
		if (this.offered === key) return;
		this.offered = key;
		this.acts.replaceChildren();
		if (told.length) node(this.acts, "span", "", "signal:");
		for (const name of told) {
			const b = node(this.acts, "button", "", name);
			b.type = "button";
			b.title = name.startsWith("kill") ? `${name} of a worker` : `send ${name} to the server's first process`;
			b.setAttribute("aria-label", b.title);
			b.addEventListener("click", () => this.act && this.act(name), { signal: this.stop.signal });
		}
	},

	describeProcess({ section, process: p, t }, event) {
		const run = section.run, { cpu, pss, state, again } = processSays(run, p, Math.min(t, this.t)), over = p.b <= t;
		const lines = over ? [] : [state, cpu && `${cpu} of one core`, pss && `${pss} of memory (PSS)`, again].filter(Boolean);
		if (p.a > 0) lines.push(`began at ${seconds(p.a)}`);
		if (p.b <= this.t) lines.push(`${endWords(run, p)} at ${seconds(p.b)}`);
		this.show(`${p.role} · pid ${p.pid}`, lines, event);
	},
});
