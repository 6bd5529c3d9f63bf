"""`python -m geo_monitor` is `geo-monitor`."""

from geo_monitor.cli import main

if __name__ == "__main__":
    main()
