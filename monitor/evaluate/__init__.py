"""How often the matcher is right: gold paragraphs, metrics, the gate that keeps them from going down, the report."""
