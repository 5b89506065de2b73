"""Other programs: samples for GetDist, anesthetic, ArviZ and pandas; cobaya and bilby.

``to_arviz``, ``to_getdist`` and ``to_anesthetic`` return objects in memory; the module
:mod:`zpfit.interfaces.export` writes files. Each program has a module of its name.
"""
