// ---- what both scenes share

/** A scene is drawn once, by its constructor: `hits` are places to hover, `drawn` is for tests. */
class Scene {
	constructor(brush, run, moment, plan, width, highlight) {
		Object.assign(this, { brush, run, m: moment, p: plan, highlight, hits: [] });
		this.drawn = { kind: this.constructor.name.toLowerCase(), line: [], hidden: 0 };
		brush.box(0, 0, width, plan.height, 8, brush.c.panel);
		this.draw();
		this.dim(0);
	}

	dim(n) { this.brush.g.globalAlpha = n && this.highlight && this.highlight !== n ? 0.25 : 1; }

	hit(x, y, r, n) { this.hits.push({ x, y, r, n }); }

	heading(strong, weak, x, y, max) {
		const { brush } = this, color = brush.c.muted, w = brush.text(strong, x, y, { bold: true, color, max });
		const fits = [weak, weak.replace(/, .*/, ")")].find((text) => w + 6 + brush.measure(text, 12.5) <= max);
		if (fits) brush.text(fits, x + w + 6, y, { color });
	}

	/** Those who are not served yet, from the right; `first` is the place of the next one. */
	line(zone, first, y, step, below) {
		const { brush, m } = this, { c } = brush, radius = 17, n = m.line.length;
		const fits = Math.max(1, Math.floor((first - zone.x - radius) / step) + 1), shown = n > fits ? Math.max(1, fits - 2) : n;
		for (let i = 0; i < shown; i++) {
			const { r } = m.line[i], x = first - i * step;
			this.dim(r.n);
			brush.chip(x, y, radius, r.n);
			brush.text(seconds(m.t - r.start), x, y + 31, { size: 11.5, color: c.muted, align: "center" });
			this.hit(x, y, radius + 4, r.n);
			this.drawn.line.push(r.n);
		}
		this.dim(0);
		this.drawn.hidden = n - shown;
		if (n > shown) {
			const x = first - shown * step - step / 2 + 8;
			brush.text(`+ ${n - shown}`, x, y - 8, { size: 19, bold: true, align: "center" });
			brush.text("in line", x, y + 11, { color: c.muted, align: "center" });
		}
		const words = n ? `${waiting(m.line)}; nobody has looked at ${n === 1 ? "it" : "them"} yet` : below.none;
		const parts = brush.measure(words, 13) > zone.w - 18 ? words.replace("; ", ";\n").split("\n") : [words];
		parts.forEach((text, i) => brush.text(text, zone.x + 4, below.y - below.up * (parts.length - 1) + i * 17, { size: 13, color: c.muted, max: zone.w - 14 }));
	}
}
