
BlogitsJ(‚“=CH= Ç<Š'—½2ga>'HÕ=x;V= †>˜ªH>Á0¾