// How much time is left of a mock interview. The kernel says `left` (seconds) and whether it runs;
// `turn` grows each time that it says so.

function words(left) {
	const all = Math.round(Math.abs(left));
	const rest = String(all % 60).padStart(2, "0");
	return `${left < -0.5 ? "+" : ""}${Math.floor(all / 60)}:${rest}`;
}

function render({ model, el }) {
	const face = document.createElement("span");
	face.setAttribute("role", "timer");
	face.style.fontVariantNumeric = "tabular-nums";
	face.style.fontWeight = "700";
	el.append(face);
	let since = performance.now();

	const draw = () => {
		const runs = model.get("runs");
		const left = model.get("left") - (runs ? (performance.now() - since) / 1000 : 0);
		if (!runs) face.textContent = `${words(left)} left; the clock stands`;
		else if (left <= 0) face.textContent = `time is up (${words(left)}): finish this one`;
		else {
			const until = new Date(Date.now() + left * 1000).toLocaleTimeString();
			face.textContent = `${words(left)} left, until ${until}`;
		}
		face.style.textDecoration = left < 60 && runs ? "underline" : "none";
	};
	const told = () => {
		since = performance.now();
		draw();
	};
	model.on("change:turn", told);
	const beat = setInterval(draw, 500);
	draw();
	// What was here before may have been longer, and the page scrolled down to its end.
	const look = setTimeout(() => {
		const { top, bottom } = face.getBoundingClientRect();
		if (top < 0 || bottom > window.innerHeight || !face.checkVisibility?.())
			face.scrollIntoView({ block: "center" });
	}, 300);
	return () => {
		clearTimeout(look);
		clearInterval(beat);
		model.off("change:turn", told);
	};
}

export default { render };
