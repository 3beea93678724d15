"""The HTTP service: restorations, their web page, review, status page and user study.

`routes/restorations.py` lists the files that one request passes.
"""
