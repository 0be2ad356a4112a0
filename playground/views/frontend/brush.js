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
		return n >= PROBE ? this.c.ink : n >= UNTRACKED ? this.c.muted : this.c.colors[(n - 1) % 8];
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

	/** The colour of words on the colour of a request. */
	ink(n) {
		const color = this.color(n), [r, g, b] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.26 ? "#16161b" : "#fff";
	}

	chip(x, y, radius, n) {
		const label = tag(n), size = Math.min(radius * 0.8, (radius * 2.9) / label.length);
		if (n >= PROBE) this.box(x - radius, y - radius * 0.8, radius * 2, radius * 1.6, radius * 0.3, this.color(n));
		else this.round(x, y, radius, radius, this.color(n));
		if (size >= 6) this.text(label, x, y + 0.5, { size, bold: true, color: this.ink(n), align: "center" });
	}
}
