"""Code tables: ATC and substances, forms, routes, units, reasons; each with its source and date."""
