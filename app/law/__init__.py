"""The law as data: how periods are counted, which days are closed. The files under `data/` are
checked when they are read; app.domain counts with the values made from them."""
