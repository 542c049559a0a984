"""A gateway whose disk is full."""


class Broken:
    content_type = suffix = ""

    def write_package(self, *_args, **_options):
        raise OSError("no space left on device")
