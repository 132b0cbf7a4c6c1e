"""Write docs/data.md from data/datapackage.json."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page() -> str:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    lines = ["# The bundled data", "", package["description"], ""]
    for resource in package["resources"]:
        lines += [f"## {resource['title']}", "", f"`data/{resource['path']}`"]
        lines += [f"- {key}: {resource[key]}" for key in ("table", "unit", "vintage") if resource[key] != "–"]
        lines += ["- source: " + "; ".join(source["title"] for source in resource["sources"])]
        lines += ["- license: " + "; ".join(license["title"] for license in resource["licenses"])]
        lines += [f"- checked: {resource['checked']}"] if "checked" in resource else []
        lines += ["", "| column | meaning |", "|---|---|"]
        lines += [f"| `{field['name']}` | {field['description']} |" for field in resource["schema"]["fields"]]
        if "errata" in resource:
            lines += ["", "What the source has wrong or leaves open; the printed value is kept:", ""]
            lines += [
                f"- {item['place']}: “{item['printed']}”. {item['finding']}" for item in resource["errata"]
            ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    (ROOT / "docs" / "data.md").write_text(page(), encoding="utf-8")
