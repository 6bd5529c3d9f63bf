from geo_monitor.app.main import page

page()
