'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const narrow = window.matchMedia('(max-width: 40rem)');
  const palettes = {
    light: ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#9a6700', '#0e7c86', '#57606a',
      '#cf222e', '#5c8a00', '#1b3a8a', '#a5694f'],
    dark: ['#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#f778ba', '#d29922', '#39c5cf', '#8b949e',
      '#ff7b72', '#a8cc3b', '#8fa8ff', '#d9a58b'],
  };
  const functions = data.functions;
  let charts = [];

  const color = i => {
    const palette = palettes[dark.matches ? 'dark' : 'light'];
    return palette[i % palette.length];
  };
  const clear = (hex, share) => hex + Math.round(share * 255).toString(16).padStart(2, '0');
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = text => narrow.matches && text.length > 14 ? text.slice(0, 13) + '\u2026' : text;
  const ms = value => value < 10 ? value.toFixed(2) + ' ms' :
      value < 100 ? value.toFixed(1) + ' ms' : value.toFixed(0) + ' ms';
  const usd = value => '$' + (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en'));
  const count = value => value >= 1e9 ? value / 1e9 + 'B' : value >= 1e6 ? value / 1e6 + 'M' :
      value >= 1e3 ? value / 1e3 + 'k' : String(value);

  const axis = (title, more = {}) => ({
    title: {display: true, text: title, color: css('--quiet')},
    grid: {color: css('--line')},
    ...more,
    ticks: {color: css('--quiet'), maxRotation: 0, autoSkipPadding: 12, ...(more.ticks || {})},
  });
  // Logarithmic ticks at 1, 2 and 5 of each decade.
  const logTicks = format => ({
    callback: value => /^[125]/.test(Number(value).toExponential()) &&
        Number.isInteger(Math.round(Number(value).toExponential().split('e')[0] * 10) / 10) ?
        format(value) : null,
  });
  const make = (id, config) => {
    const canvas = document.getElementById(id);
    if (!canvas) return;
    config.options = {
      responsive: true, maintainAspectRatio: false, animation: false, ...config.options,
    };
    config.options.plugins = {
      legend: {labels: {color: css('--text'), boxWidth: 12, usePointStyle: true}},
      ...config.options.plugins,
    };
    charts.push(new Chart(canvas, config));
  };

  // One point a sample in a row of its own, shifted by a fixed pseudo-random amount so that equal
  // ones stay apart; a bar at the median with its 95% interval.
  const strip = (id, samples, median, interval, title) => {
    const jitter = n => ((n * 0.618033988749895) % 1 - 0.5) * 0.5;
    const spread = functions.flatMap(f => f[samples]);
    const log = Math.min(...spread) > 0 && Math.max(...spread) > 8 * Math.min(...spread);
    const datasets = functions.map((f, i) => ({
      label: f.label,
      data: f[samples].map((x, n) => ({x: Math.max(x, log ? 0.005 : 0), y: i + jitter(n)})),
      backgroundColor: clear(color(i), 0.45), pointRadius: 2.5, pointHoverRadius: 4,
    })).concat(functions.filter(f => f[interval]).map(f => {
      const i = functions.indexOf(f);
      return {
        label: f.label + ', median and 95% interval', showLine: true, borderColor: css('--text'),
        borderWidth: 2, pointRadius: [0, 5, 0], pointStyle: 'rectRot', pointBackgroundColor: css('--text'),
        data: [{x: f[interval][0], y: i}, {x: f[median], y: i}, {x: f[interval][1], y: i}],
      };
    }));
    make(id, {
      type: 'scatter', data: {datasets},
      options: {
        plugins: {
          legend: {display: false},
          tooltip: {callbacks: {label: c => c.dataset.label + ': ' + ms(c.parsed.x)}},
        },
        scales: {
          x: axis(title, log ? {type: 'logarithmic', ticks: logTicks(v => String(v))} : {}),
          y: axis('', {
            title: {display: false}, min: -0.6, max: functions.length - 0.4, reverse: true,
            afterBuildTicks: scale => { scale.ticks = functions.map((_, value) => ({value})); },
            ticks: {autoSkip: false, callback: v => functions[v] ? short(functions[v].label) : ''},
          }),
        },
      },
    });
  };

  const overInvokes = () => make('chart-invokes', {
    type: 'scatter',
    data: {datasets: functions.map((f, i) => ({
      label: f.label, data: f.invokes.map(([x, y]) => ({x, y: Math.max(y, 0.005)})), showLine: true,
      borderColor: color(i), borderWidth: 1.2, backgroundColor: color(i), pointRadius: 0,
      pointHitRadius: 6,
    }))},
    options: {
      plugins: {tooltip: {callbacks: {
        label: c => `${c.dataset.label}, invoke ${c.parsed.x}: ${ms(c.parsed.y)}`}}},
      scales: {
        x: axis('invoke of its environment (logarithmic)',
            {type: 'logarithmic', min: 1, ticks: logTicks(v => String(v))}),
        y: axis('Duration, ms', {type: 'logarithmic', ticks: logTicks(v => String(v))}),
      },
    },
  });

  const bars = (id, sets, title, format) => make(id, {
    type: 'bar',
    data: {
      labels: functions.map(f => short(f.label)),
      datasets: sets.map((set, n) => ({
        label: set.label, data: functions.map(f => f[set.key]),
        backgroundColor: functions.map((_, i) => n === 0 ? color(i) : clear(color(i), 0.4)),
      })),
    },
    options: {
      indexAxis: 'y',
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {label: c => `${c.dataset.label}: ${format(c.parsed.x)}`}},
      },
      scales: {x: axis(title, {beginAtZero: true}), y: axis('', {title: {display: false}})},
    },
  });

  const initAgainstMemory = () => {
    const series = [...new Set(functions.map(f => f.series))];
    make('chart-memory-size', {
      type: 'scatter',
      data: {datasets: series.map((name, i) => ({
        label: name, showLine: true, borderColor: color(i), backgroundColor: color(i), pointRadius: 5,
        data: functions.filter(f => f.series === name && f.initMedian !== null)
            .map(f => ({x: f.memory, y: f.initMedian})).sort((a, b) => a.x - b.x),
      }))},
      options: {
        plugins: {tooltip: {callbacks: {
          label: c => `${c.dataset.label} at ${c.parsed.x} MB: ${ms(c.parsed.y)}`}}},
        scales: {x: axis('memory size, MB'), y: axis('Init Duration, median, ms', {beginAtZero: true})},
      },
    });
  };

  const cost = () => {
    const free = document.getElementById('free-tier');
    make('chart-cost', {
      type: 'line',
      data: {
        datasets: functions.filter(f => f.cost).map(f => ({
          label: f.label, borderColor: color(functions.indexOf(f)), pointRadius: 0, pointHitRadius: 8,
          backgroundColor: color(functions.indexOf(f)), borderWidth: 2,
          data: data.requests.map((x, n) => ({x, y: (free.checked ? f.costFree : f.cost)[n]}))
              .filter(point => point.y > 0),
        })),
      },
      options: {
        plugins: {tooltip: {callbacks: {
          label: c => `${c.dataset.label}: ${usd(c.parsed.y)} at ${count(c.parsed.x)} requests`}}},
        scales: {
          x: axis('requests a month', {type: 'logarithmic', ticks: {
            callback: v => /^1e/.test(Number(v).toExponential()) ? count(v) : null}}),
          y: axis('US dollars a month', {type: 'logarithmic', ticks: {
            callback: v => /^1e/.test(Number(v).toExponential()) ? '$' + v : null}}),
        },
      },
    });
  };

  const sweep = () => make('chart-sweep', {
    type: 'scatter',
    data: {datasets: data.sweeps.flatMap((s, i) => [
      {label: s.name, data: s.points.map(p => ({x: p.ms, y: p.usd, memory: p.memory})),
        backgroundColor: color(i), pointRadius: 5},
      {label: s.name + ', Pareto front', data: s.points.filter(p => p.front)
          .map(p => ({x: p.ms, y: p.usd, memory: p.memory})).sort((a, b) => a.x - b.x),
        showLine: true, borderColor: color(i), borderDash: [5, 4], backgroundColor: color(i),
        pointRadius: 7, pointStyle: 'rectRot'},
    ])},
    options: {
      plugins: {tooltip: {callbacks: {
        label: c => `${c.raw.memory} MB: ${ms(c.parsed.x)}, ${usd(c.parsed.y)} a million`}}},
      scales: {
        x: axis('warm Duration, mean, ms'),
        y: axis('US dollars a million requests'),
      },
    },
  });

  const drawAll = () => {
    charts.forEach(chart => chart.destroy());
    charts = [];
    strip('chart-cold', 'cold', 'coldMedian', 'coldInterval', 'init + first invoke, ms');
    strip('chart-warm', 'warm', 'warmMedian', 'warmInterval', 'Duration, ms');
    overInvokes();
    initAgainstMemory();
    bars('chart-memory', [{key: 'maxMemory', label: 'Max Memory Used'}], 'MB', v => v + ' MB');
    bars('chart-package', [{key: 'package', label: 'package'}, {key: 'unpacked', label: 'unpacked'}],
        'MB', v => v.toFixed(2) + ' MB');
    cost();
    sweep();
    document.body.dataset.charts = charts.length;
  };

  // A cell's text as something to sort by: sizes and times by their units, other text as text.
  const units = {B: 1, KB: 1024, MB: 1048576, ms: 1, s: 1000, x: 1, '': 1};
  const key = text => {
    const match = /^<?\s*\$?(-?[\d.]+)\s*(B|KB|MB|ms|s|x)?(?![A-Za-z])/.exec(text);
    return match ? match[1] * units[match[2] || ''] : text === '-' ? Infinity : text.toLowerCase();
  };
  const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) :
      typeof a === 'number' ? -1 : 1;
  for (const table of document.querySelectorAll('table')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.querySelector('button').addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (up ? 1 : -1) *
          compare(key(a.cells[column].textContent), key(b.cells[column].textContent)));
      table.tBodies[0].append(...rows);
    }));
  }

  document.getElementById('free-tier').addEventListener('change', drawAll);
  dark.addEventListener('change', drawAll);
  narrow.addEventListener('change', drawAll);
  drawAll();
})();
