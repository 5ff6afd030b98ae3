/// The style and the few lines of script of a report.
enum ReportStyle {
    /// Light and dark by the reader's wish; from 320 pixels on nothing is wider than the page but what scrolls.
    static let css = """
        :root { color-scheme: light dark; --bg: #ffffff; --fg: #1f2430; --quiet: #5a6472; --line: #d5dae3;
          --card: #f6f7f9; --c0: #0b62a4; --c1: #6aaede; --c2: #c2410c; --c3: #f0a26b; --c4: #2f7d32; --c5: #8bc48d;
          --c6: #7a3fa0; --c7: #9aa2ae; }
        @media (prefers-color-scheme: dark) { :root { --bg: #14171d; --fg: #e6e9ef; --quiet: #a3acba; --line: #39404d;
          --card: #1c2129; --c0: #6db3ec; --c1: #2f7fbd; --c2: #ff9a5c; --c3: #b75f24; --c4: #7fce83; --c5: #3f8f45;
          --c6: #c295e6; --c7: #7d8694; }
          .drawing svg { filter: invert(.92) hue-rotate(180deg); } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1rem; max-width: 80rem; background: var(--bg); color: var(--fg);
          font: 1rem/1.45 system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
        header p { margin: .3rem 0 0; color: var(--quiet); }
        .cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); }
        .card { margin: 0; padding: .7rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
        .scroll { overflow-x: auto; } figure svg { display: block; width: 100%; height: auto; }
        figure text { fill: var(--quiet); font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
        figcaption { font-size: .9rem; margin-bottom: .4rem; } .key { white-space: nowrap; margin-left: .5rem; }
        .key i { display: inline-block; width: .7em; height: .7em; margin-right: .3em; border-radius: .15em;
          background: var(--k); } .grid { stroke: var(--line); }
        .curve { fill: none; stroke: var(--k); stroke-width: 2; stroke-linejoin: round; } .dot, .band { fill: var(--k); }
        .c0 { --k: var(--c0); } .c1 { --k: var(--c1); } .c2 { --k: var(--c2); } .c3 { --k: var(--c3); }
        .c4 { --k: var(--c4); } .c5 { --k: var(--c5); } .c6 { --k: var(--c6); } .c7 { --k: var(--c7); }
        .drawing svg { max-width: none; } img { max-width: 100%; height: auto; display: block; image-rendering: auto; }
        .slider { display: flex; gap: 1rem; align-items: center; margin-bottom: .6rem; } .slider input { flex: 1; }
        .slider label { white-space: nowrap; min-width: 6rem; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--quiet); font-size: .9rem; padding-bottom: .4rem; }
        th, td { text-align: right; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
        th[scope=row], thead th:first-child, td.text { text-align: left; font-weight: normal; }
        td.text { overflow-wrap: anywhere; }
        thead th { color: var(--quiet); font-weight: 600; } td.bar { width: 12rem; }
        td.bar i { display: block; height: .7rem; border-radius: .2rem; background: var(--c0); }
        pre { overflow-x: auto; max-height: 24rem; padding: .7rem; border: 1px solid var(--line); border-radius: .6rem;
          background: var(--card); font-size: .85rem; }
        """

    /// The slider, and the reload of a run that goes on, which waits while somebody looks at an earlier epoch.
    static let script = """
        const slider = document.getElementById("epoch");
        const frames = document.querySelectorAll("template[data-epoch]");
        slider?.addEventListener("input", () => {
          const frame = frames[slider.value];
          document.getElementById("epoch-name").textContent = frame.dataset.epoch;
          document.getElementById("frame").replaceChildren(frame.content.cloneNode(true));
        });
        const seconds = Number(document.body.dataset.refresh);
        if (seconds) setInterval(() => {
          if (!slider || slider.value === slider.max) location.reload();
        }, seconds * 1000);
        """
}
