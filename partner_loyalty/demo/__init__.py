"""The demo data: records in XML files, and a year of sales that is played once when they are installed."""
