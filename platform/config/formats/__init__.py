"""How dates and times are written where no filter of ours does it: settings.FORMAT_MODULE_PATH."""
