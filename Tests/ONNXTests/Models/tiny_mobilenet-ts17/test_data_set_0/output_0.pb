
BlogitsJ(‚“=CH=Ç<Œ'—½3ga>(HÕ=z;V= †>—ªH>À0¾