"""The tables of tests/bench/gpu.py, for docs/benchmarks.md."""


def markdown(report: dict) -> str:
    lines = [f"{report['device']}, torch {report['torch']}; {report['seconds']:.0f} s"]
    tables = {"ops": of_ops, "host": of_host, "shapes": of_shapes, "training": of_training, "generation": of_generation}
    for part, table in tables.items():
        if isinstance(report.get(part), list):
            lines += ["", *table(report[part])]
    return "\n".join(lines) + "\n"


def of_ops(rows: list[dict]) -> list[str]:
    lines = ["| op | dtype | layout | MB | forward, ms | of a copy's speed | backward, ms | of a copy's speed |"]
    lines[-1] += " plain torch, ms | backward | compiled, ms |"
    lines += ["|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        name = f"| {row['op']} | {row['dtype']} | {row['layout']}"
        if "failure" in row:
            lines.append(f"{name} | {row['failure']} |")
            continue
        lines.append(
            f"{name} | {row['MB']:.0f} | {both_ways(row)} | "
            f"{number(row['reference_ms'], 3)} | {number(row['reference_backward_ms'], 3)} | "
            f"{number(row.get('compiled_ms', ''), 3)} |"
        )
    return lines


def of_host(rows: list[dict]) -> list[str]:
    lines = ["| op | CPU, us, forward | with backward |", "|---|---:|---:|"]
    return lines + [f"| {row['op']} | {row['forward_us']:.0f} | {row['both_us']:.0f} |" for row in rows]


def of_shapes(rows: list[dict]) -> list[str]:
    lines = ["| 4x4 filter of | dtype | forward, ms | of a copy's speed | backward, ms | of a copy's speed |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for row in rows:
        shape = "x".join(map(str, row["shape"]))
        lines.append(f"| {shape} | {row['dtype']} | {row.get('failure') or both_ways(row)} |")
    return lines


def of_training(rows: list[dict]) -> list[str]:
    lines = ["| side | batch | precision | ops | s per 1000 images | GiB | CPU ms, GPU ms, launches of a step |"]
    lines[-1] += " GPU time by part |"
    lines += ["|---:|---:|---|---|---|---:|---|---|"]
    for row in rows:
        result = row["result"]
        if isinstance(result, str):
            found = f"{result} | | | |"
        else:
            total = sum(result.get("parts", {}).values())
            shares = ", ".join(f"{name} {value / total:.0%}" for name, value in result.get("parts", {}).items())
            laps = " to ".join(f"{lap:.2f}" for lap in sorted(result["sec_per_kimg"]))
            step = ", ".join(f"{result[name]:.0f}" for name in ("cpu_ms", "gpu_ms", "launches") if name in result)
            found = f"{laps} | {result['peak_gib']:.1f} | {step} | {shares} |"
        lines.append(f"| {row['side']} | {row['batch']} | {row['precision']} | {row['ops']} | {found}")
    return lines


def of_generation(rows: list[dict]) -> list[str]:
    lines = ["| precision | one image, ms | from a CUDA graph, ms | images per second, of 32 |", "|---|---:|---:|---:|"]
    for row in rows:
        cells = [number(row[name], 2) for name in ("eager_ms", "graph_ms", "images_per_s")]
        lines.append(f"| {row['precision']} | " + " | ".join(cells) + " |")
    return lines


def both_ways(row: dict) -> str:
    return " | ".join(f"{row[way]['ms']:.3f} | {row[way]['of_copy']:.0%}" for way in ("forward", "backward"))


def number(value: float | str, digits: int) -> str:
    return value if isinstance(value, str) else f"{value:.{digits}f}"
