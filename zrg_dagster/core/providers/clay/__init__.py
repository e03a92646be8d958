"""Clay: answers of enrichment tables."""
