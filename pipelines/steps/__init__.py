"""What the flows do, as plain functions of settings: tested without Prefect, wrapped by it in `pipelines/flows.py`."""
