"""An issued document's two forms: the electronic invoice and the PDF that carries it."""
