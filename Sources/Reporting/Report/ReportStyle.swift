/// The style and the few lines of script of a report.
enum ReportStyle {
    /// Light and dark by the reader's wish; from 320 pixels on nothing is wider than the page but what scrolls.
    static let css = """
        :root { color-scheme: light dark; --bg: #ffffff; --fg: #1f2430; --quiet: #5a6472; --line: #d5dae3;
          --card: #f6f7f9; --c0: #0072b2; --c1: #74b9e6; --c2: #c65200; --c3: #f0ad4e; --c4: #00805c; --c5: #7fd1b4;
          --c6: #a8458a; --c7: #9aa2ae; }
        @media (prefers-color-scheme: dark) { :root { --bg: #14171d; --fg: #e6e9ef; --quiet: #a3acba; --line: #39404d;
          --card: #1c2129; --c0: #6db8ec; --c1: #2f7fbd; --c2: #ff9a4d; --c3: #b36a1e; --c4: #3fcfa4; --c5: #1f8465;
          --c6: #dd8cc4; --c7: #7d8694; }
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
        figcaption { font-size: .9rem; margin-bottom: .4rem; overflow-wrap: anywhere; } .key { white-space: nowrap; margin-left: .5rem; }
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
        thead th { color: var(--quiet); font-weight: 600; } th.text { text-align: left; }
        td.bar { min-width: 5.5rem; } td.bar i, td.bar b { display: block; height: .25rem; border-radius: .2rem; }
        td.bar i { background: var(--line); } td.bar b { background: var(--c0); }
        td.spark svg { display: block; width: 7.5rem; height: 1.5rem; } .axis { font-weight: 600; }
        .tall { max-height: 36rem; overflow-y: auto; } .tall thead th { position: sticky; top: 0; background: var(--bg); }
        .classes th[scope=row] { min-width: 8.5rem; max-width: 14rem; overflow-wrap: anywhere; }
        .patch { display: inline-block; width: .85em; height: .85em; margin-right: .45em; border-radius: .15em;
          border: 1px solid var(--line); vertical-align: -.08em; }
        .legend { flex: 1 1 11rem; margin: 0; padding: 0; list-style: none; max-height: 30rem; overflow-y: auto;
          columns: 9rem; font-size: .9rem; } .legend li { padding: .12rem 0; overflow-wrap: anywhere; }
        .beside { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; margin-bottom: 1rem; }
        .beside > * { min-width: 0; max-width: 100%; } .beside > figure { flex: 3 1 36rem; }
        .beside > .drawing { flex: 0 1 auto; } .pictures img { width: 100%; min-width: 32rem; }
        .wide { grid-template-columns: repeat(auto-fill, minmax(min(36rem, 100%), 1fr)); }
        h3 { font-size: 1rem; margin: 1rem 0 .4rem; } .quiet { color: var(--quiet); font-size: .9rem; margin: 0 0 .6rem; }
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
