from starlette.middleware import Middleware
from streamlit import App

from geo_monitor.app.packed import Packed
from geo_monitor.app.served import ready

# `streamlit run` looks for this very assignment in the file it is given
app = App("geo_monitor/app/main.py", lifespan=ready, middleware=[Middleware(Packed)])
